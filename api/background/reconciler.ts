import type { Redis } from "ioredis";
import type { Database } from "../../database/connection.ts";
import { takeLostDeliveries } from "../../database/ledger/lost.ts";
import type { Logger } from "../../observability/logger.ts";
import { instruments } from "../../observability/metrics.ts";
import { inTurns } from "../../runtime/in-turns.ts";
import { type Loop, pause, startLoop } from "../../runtime/loop.ts";
import { enqueueLogged } from "../../stream/enqueue.ts";
import type { Group } from "../../stream/groups.ts";
import type { Keys } from "../../stream/keys.ts";
import { watermarkAgeMs } from "../../stream/watermark.ts";

export interface ReconcilerDeps {
  readonly db: Database;
  readonly redis: Redis;
  readonly keys: Keys;
  readonly groups: readonly Group[];
  readonly log: Logger;
}

const MAX_EVERY_MS = 30_000;
const BATCH = 250;
/** At most 1,000 a second: what comes back must not crowd out what comes in. */
const PAUSE_BETWEEN_BATCHES_MS = 250;

/**
 * Brings back what Redis has lost, whatever lost it: a flush, a failover, somebody's XTRIM. A delivery is lost when it is
 * unfinished, not in the outbox, and its group has overtaken it: the latest of its times lies `reconcileAfterMs` below the
 * group's low watermark. A backlog, a pause or an open breaker holds the watermark back, so nothing floods. A mistake costs
 * one entry that is acked at once, because claiming is guarded.
 *
 * It goes into the group's own `retries` stream, never into `events`: other groups did not lose it.
 */
export const startReconciler = (
  { db, redis, keys, groups, log }: ReconcilerDeps,
  { reconcileAfterMs }: { readonly reconcileAfterMs: number },
): Loop => {
  /** One batch of one group; "again": there may be more. */
  const reconcile = async (group: string, signal: AbortSignal): Promise<"again" | "idle"> => {
    // An age, so that Redis' clock and Postgres' are never compared.
    const overtakenByMs = (await watermarkAgeMs(redis, keys, group)) + reconcileAfterMs;
    const lost = await takeLostDeliveries(db, { group, overtakenByMs, limit: BATCH });
    if (lost.length === 0) return "idle";
    await enqueueLogged(redis, keys.retriesStream(group), lost);
    instruments().reconciled.add(lost.length, { "messaging.consumer.group.name": group });
    log.warn({ group, reconciled: lost.length }, "brought back deliveries that Redis had lost");
    if (lost.length < BATCH) return "idle";
    await pause(PAUSE_BETWEEN_BATCHES_MS, signal);
    return "again";
  };

  return startLoop({
    name: "reconciler",
    log,
    everyMs: Math.min(MAX_EVERY_MS, reconcileAfterMs),
    turn: async (signal, progress) => {
      await inTurns(
        groups,
        ({ name }) => {
          progress();
          return reconcile(name, signal);
        },
        signal,
      );
      return "idle";
    },
  });
};
