import { isSilent, MISSED_MS } from "../../runtime/situation/facts.ts";
import type { Level } from "../../runtime/situation/finding.ts";
import type { ConsumerStatus, GroupStatus } from "../../stream/group-status.ts";
import { doingOf } from "./doing.ts";

/** How a group is doing, in a word or two. */
export interface GroupState {
  readonly words: string;
  readonly level: Level;
}

const hasWork = ({ lag, retriesLag, counted, pending }: GroupStatus): boolean =>
  (lag ?? counted.lag ?? 0) + (retriesLag ?? counted.retriesLag ?? 0) + pending > 0;

const isGone = ({ silentMs, pending }: ConsumerStatus): boolean =>
  silentMs !== null && isSilent({ silentMs }) && pending === 0;

/** The system that it works with fails; nothing is wrong with the consumer. */
const isKeptByBreaker = ({ silentMs, report }: ConsumerStatus): boolean =>
  silentMs !== null &&
  !isSilent({ silentMs }) &&
  report?.breaker.state === "open" &&
  Object.keys(report.faults).length === 0;

/** No consumer ever read of it, and nothing waits for longer than a sign of life takes: the group is new, or Redis was emptied. */
export const isNew = ({ wasRead, consumers, oldestUnfinishedMs }: GroupStatus): boolean =>
  !wasRead && consumers.length === 0 && oldestUnfinishedMs < MISSED_MS;

/** The state of a group now, however much went wrong before; the same on the command line and in the console. Pure. */
export const stateOfGroup = (group: GroupStatus, now: Date): GroupState => {
  const { consumers, exists, orphaned, paused } = group;
  if (orphaned) return { words: "orphaned", level: "notice" };
  if (!(exists.events && exists.retries)) return { words: "missing", level: "trouble" };
  if (paused) return { words: "paused", level: "notice" };
  if (isNew(group)) return { words: "no consumer yet", level: "notice" };
  if (consumers.length === 0) return { words: "no consumer", level: hasWork(group) ? "trouble" : "notice" };
  // One that died, and whose work its peers have taken over, is listed for an hour: the group does without it.
  const present = consumers.filter((consumer) => !isGone(consumer));
  const failing = present.filter((consumer) => doingOf(consumer, now).kind === "failing").length;
  const waiting = present.filter(isKeptByBreaker).length;
  if (failing === 0 && present.length > 0) return { words: "running", level: "well" };
  return failing === present.length
    ? // It reads on, and probes.
      { words: waiting > 0 && waiting === present.length ? "breaker open" : "stopped", level: "trouble" }
    : { words: "partly running", level: "notice" };
};
