import type { Redis } from "ioredis";
import type { Database } from "../../database/connection.ts";
import type { LoggedEvent } from "../../database/events.ts";
import { LOST_REPEATEDLY, takeLostDeliveries, undoReconciled } from "../../database/ledger/lost.ts";
import type { Logger } from "../../observability/logger.ts";
import { instruments } from "../../observability/metrics.ts";
import { inTurns } from "../../runtime/in-turns.ts";
import { type Loop, pause, startLoop } from "../../runtime/loop.ts";
import { isRefusedReply } from "../../stream/connection.ts";
import type { Group } from "../../stream/groups.ts";
import type { Keys } from "../../stream/keys.ts";
import { publishAll } from "../../stream/publish.ts";
import { readOvertaken, type StreamEnds } from "../../stream/watermark.ts";

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
 * group's low watermark. A backlog, a pause or an open breaker holds the watermark back, so nothing floods, and so does an
 * entry whose age is unknown because Redis' clock was set back. A mistake costs one entry that is acked at once, because claiming
 * is guarded; a delivery that is found again and again is brought back more and more rarely, and held in the end.
 *
 * It goes into the group's own `retries` stream, never into `events`: other groups did not lose it.
 */
export const startReconciler = (
  { db, redis, keys, groups, log }: ReconcilerDeps,
  { reconcileAfterMs }: { readonly reconcileAfterMs: number },
): Loop => {
  const now = () => performance.now();
  const holding = new Set<string>();
  const endsBefore = new Map<string, StreamEnds>();

  /** Publishes what is lost; what Redis refuses does not count as brought back. @throws the first refusal */
  const bringBack = async (group: string, lost: readonly LoggedEvent[]): Promise<void> => {
    const stream = keys.retriesStream(group);
    const results = await publishAll(redis, stream, lost);
    const errors = results.map((result): unknown => (result.status === "rejected" ? result.reason : undefined));
    const refused = lost.filter((_, index) => isRefusedReply(errors[index]));
    await undoReconciled(
      db,
      group,
      refused.map((event) => event.event_id),
    );
    const broughtBack = results.filter(({ status }) => status === "fulfilled").length;
    if (broughtBack > 0) {
      instruments().reconciled.add(broughtBack, { "messaging.consumer.group.name": group });
      log.warn({ group, reconciled: broughtBack }, "brought back deliveries that Redis had lost");
    }
    for (const result of results) if (result.status === "rejected") throw result.reason;
  };

  /** Says once that a group cannot be looked at, and once that it can again. */
  const noteUnknownAge = (group: string, isKnown: boolean): void => {
    if (isKnown && holding.delete(group)) log.info({ group }, "looking for lost deliveries again");
    if (isKnown || holding.has(group)) return;
    holding.add(group);
    log.warn(
      { group },
      "Redis' clock is behind its own entries; lost deliveries are not looked for until they are read",
    );
  };

  /** One batch of one group; "again": there may be more. */
  const reconcile = async (group: string, signal: AbortSignal): Promise<"again" | "idle"> => {
    // An age, so that Redis' clock and Postgres' are never compared.
    const before = endsBefore.get(group);
    const { byMs: overtakenByMs, ends } = await readOvertaken(redis, keys, group, { before, now });
    if (ends === undefined) endsBefore.delete(group);
    else endsBefore.set(group, ends);
    noteUnknownAge(group, overtakenByMs !== undefined);
    if (overtakenByMs === undefined) return "idle";
    const { lost, held } = await takeLostDeliveries(db, { group, overtakenByMs, reconcileAfterMs, limit: BATCH });
    if (held.length > 0) {
      instruments().lostRepeatedly.add(held.length, { "messaging.consumer.group.name": group });
      log.error(
        { group, held: held.length, reason: LOST_REPEATEDLY },
        "held deliveries that were lost again and again",
      );
    }
    if (lost.length > 0) await bringBack(group, lost);
    if (lost.length + held.length < BATCH) return "idle";
    await pause(PAUSE_BETWEEN_BATCHES_MS, signal);
    return "again";
  };

  // From the start on: an alert on the increase of a series does not see the step that made the series.
  for (const { name } of groups) {
    const byGroup = { "messaging.consumer.group.name": name };
    instruments().reconciled.add(0, byGroup);
    instruments().lostRepeatedly.add(0, byGroup);
  }

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
