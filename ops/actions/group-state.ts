import type { Level } from "../../runtime/situation/finding.ts";
import type { GroupStatus } from "../../stream/group-status.ts";
import { doingOf } from "./doing.ts";

/** How a group is doing, in a word or two. */
export interface GroupState {
  readonly words: string;
  readonly level: Level;
}

const hasWork = ({ lag, retriesLag, counted, pending }: GroupStatus): boolean =>
  (lag ?? counted.lag ?? 0) + (retriesLag ?? counted.retriesLag ?? 0) + pending > 0;

/** The state of a group now, however much went wrong before; the same on the command line and in the console. Pure. */
export const stateOfGroup = (group: GroupStatus, now: Date): GroupState => {
  const { consumers, exists, orphaned, paused } = group;
  if (orphaned) return { words: "orphaned", level: "notice" };
  if (!(exists.events && exists.retries)) return { words: "missing", level: "trouble" };
  if (paused) return { words: "paused", level: "notice" };
  if (consumers.length === 0) return { words: "no consumer", level: hasWork(group) ? "trouble" : "notice" };
  const failing = consumers.filter((consumer) => doingOf(consumer, now).kind === "failing").length;
  if (failing === 0) return { words: "running", level: "well" };
  return failing === consumers.length
    ? { words: "stopped", level: "trouble" }
    : { words: "partly running", level: "notice" };
};
