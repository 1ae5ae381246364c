import { BACKLOG_BOUND, type Backlog } from "../../database/ledger/counts.ts";
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
  { unfinished, oldestAt }: Pick<Backlog, "unfinished" | "oldestAt">,
  known: { readonly retrying: number; readonly outbox: number; readonly now: Date },
): number => {
  const { exists, oldestUnfinishedMs, pending, lag, retriesLag, waitingRetries } = group;
  const isIdle = exists.events && exists.retries && oldestUnfinishedMs + pending === 0 && lag === 0 && retriesLag === 0;
  if (!isIdle || unfinished >= BACKLOG_BOUND || oldestAt === null) return 0;
  if (known.now.getTime() - oldestAt.getTime() < OLD_MS) return 0;
  // Of those that Redis has not, none waits there. It may have others, which wait for the group's delay.
  const retries = Math.min(known.retrying, waitingRetries);
  const missing = unfinished - retries - known.outbox;
  return missing >= (Math.max(known.retrying, waitingRetries) === 0 ? 1 : BESIDE_RETRIES) ? missing : 0;
};
