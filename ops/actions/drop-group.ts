import { pausesOf } from "../../database/groups/pauses.ts";
import { cancelOpen } from "../../database/ledger/cancel.ts";
import { dropGroup } from "../../stream/drop-group.ts";
import { resumeGroup } from "../../stream/pauses.ts";
import { publishStates } from "../../stream/publish.ts";
import { audited } from "./audited.ts";
import type { Operator } from "./operator.ts";

/** Deliveries in one statement. */
const BATCH = 500;

/** What dropping a group did. */
export interface GroupDropReport {
  readonly group: string;
  /** Deliveries that were unfinished or held, and are `cancelled`. */
  cancelled: number;
  /** Whether Redis had anything of the group, which is now deleted, or it was paused. */
  dropped: boolean;
  /** Asked to stop before the end: Redis still has the group; run it again to continue. */
  stopped: boolean;
}

export interface GroupDropOptions {
  /** Keeps its deliveries: the group is declared, is made again, and the reconciler brings back what is unfinished. */
  readonly keepsWork: boolean;
  /** Open deliveries, if they were counted. */
  readonly total?: number | undefined;
}

const cancelAndDrop = async (
  { db, redis, keys, signal, onProgress }: Operator,
  group: string,
  { keepsWork, total }: GroupDropOptions = { keepsWork: false },
): Promise<GroupDropReport> => {
  const report: GroupDropReport = { group, cancelled: 0, dropped: false, stopped: false };
  for (let more = !keepsWork; more; ) {
    if (signal.aborted) return { ...report, stopped: true };
    const batch = await cancelOpen(db, { group, limit: BATCH });
    publishStates(redis, keys.status, batch.cancelled, "cancelled");
    report.cancelled += batch.cancelled.length;
    onProgress({
      done: report.cancelled,
      noun: "deliveries cancelled",
      ...(total === undefined ? {} : { total: Math.max(total, report.cancelled) }),
    });
    more = batch.more;
  }
  if (signal.aborted) return { ...report, stopped: true };
  const dropped = await dropGroup(redis, keys, group);
  const resumed = await resumeGroup({ pauses: pausesOf(db), redis, keys }, group);
  report.dropped = dropped || resumed;
  return report;
};

/**
 * Cancels what a group has not finished, in batches, then deletes what Redis keeps of it. Ledger first: what dies in between
 * leaves a group that can be dropped again; the other way round, its deliveries would stay open without anybody to end them.
 */
export const dropGroupAndWork = audited({
  name: "group drop",
  describe: ([group, options]) => ({
    group,
    arguments: { keeps_work: options?.keepsWork === true },
  }),
  run: cancelAndDrop,
  resultOf: ({ cancelled, dropped, stopped }) => ({ affected: cancelled + Number(dropped), stopped }),
});
