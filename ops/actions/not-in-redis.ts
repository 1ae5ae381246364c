import { BACKLOG_BOUND, type Backlog } from "../../database/ledger/counts.ts";
import type { Waiting } from "../../runtime/situation/facts.ts";
import type { GroupStatus } from "../../stream/group-status.ts";

/** What is younger may be on its way from the ledger to Redis. */
const OLD_MS = 5_000;
/** Retries are counted at another moment: beside those that Redis has, fewer may be a difference of the two looks. */
const BESIDE_RETRIES = 5;

/**
 * Of the unfinished deliveries of a group: how many Redis has no entry of, so that they wait for the reconciler, as after a flush. Rather
 * too few than too many, since both stores are asked at slightly different moments: none while Redis has anything that is unread or
 * in flight. Pure.
 */
export const notInRedis = (
  group: Pick<GroupStatus, "exists" | "oldestUnfinishedMs" | "pending" | "lag" | "retriesLag" | "waitingRetries">,
  { unfinished, soon, waiting, oldestAt }: Pick<Backlog, "unfinished" | "soon" | "waiting" | "oldestAt">,
  known: { readonly retrying: Waiting; readonly outbox: number; readonly now: Date },
): number => {
  const { exists, oldestUnfinishedMs, pending, lag, retriesLag, waitingRetries } = group;
  const isIdle = exists.events && exists.retries && oldestUnfinishedMs + pending === 0 && lag === 0 && retriesLag === 0;
  if (!isIdle || unfinished >= BACKLOG_BOUND || oldestAt === null) return 0;
  if (known.now.getTime() - oldestAt.getTime() < OLD_MS) return 0;
  const retrying = known.retrying.isBound ? Number.POSITIVE_INFINITY : known.retrying.count;
  // The retry set has retries, what waits for the group's delay, and what was passed over; after a flush, only a part of them.
  const present = Math.max(Math.min(retrying, waitingRetries), waitingRetries - waiting - soon);
  const missing = unfinished - soon - present - known.outbox;
  return missing >= (Math.max(retrying, waitingRetries) === 0 ? 1 : BESIDE_RETRIES) ? missing : 0;
};
