import type { Redis } from "ioredis";
import type { Database } from "../../database/connection.ts";
import { positionAt } from "../../database/ledger/replay.ts";
import { deleteOldEvents } from "../../database/ledger/retention.ts";
import { recordPruning } from "../../database/ledger/retention-record.ts";
import type { Logger } from "../../observability/logger.ts";
import { type Loop, pause, startLoop } from "../../runtime/loop.ts";
import type { Group } from "../../stream/groups.ts";
import type { Keys } from "../../stream/keys.ts";
import { oldestEntryAgeMs } from "../../stream/oldest-entry.ts";

export interface LedgerPrunerDeps {
  readonly db: Database;
  readonly redis: Redis;
  readonly keys: Keys;
  readonly groups: readonly Group[];
  readonly log: Logger;
}

export interface LedgerPrunerOptions {
  readonly retentionMs: number;
  readonly everyMs?: number;
  /** What one statement looks at. */
  readonly batch?: number;
}

const EVERY_MS = 60_000;
const BATCH = 500;
/** At most 2,000 events a second: deleting must not crowd out signups. */
const PAUSE_BETWEEN_BATCHES_MS = 250;
/** What stayed is passed over until then: a million dead letters are not read each minute. */
const AGAIN_FROM_THE_START_MS = 24 * 3_600_000;
/** Beyond the oldest entry of Redis, whose clock may be another one than Postgres'. */
const MARGIN_MS = 3_600_000;

const BEGINNING = positionAt(new Date(0));

/**
 * Deletes events whose deliveries have all ended well or were called off, once they are older than the retention and than any entry that
 * Redis still has: an entry whose delivery the ledger has forgotten would count as new. What is unfinished, held or dead stays.
 */
export const startLedgerPruner = (
  { db, redis, keys, groups, log }: LedgerPrunerDeps,
  { retentionMs, everyMs = EVERY_MS, batch = BATCH }: LedgerPrunerOptions,
): Loop => {
  let after = BEGINNING;
  let beganAt = performance.now();
  /** Deleted since the last look that found nothing more. */
  let removed = { events: 0, deliveries: 0 };

  return startLoop({
    name: "ledger pruner",
    log,
    everyMs,
    turn: async (signal) => {
      if (performance.now() - beganAt > AGAIN_FROM_THE_START_MS) {
        after = BEGINNING;
        beganAt = performance.now();
      }
      const oldestMs = await oldestEntryAgeMs(redis, keys, groups);
      if (oldestMs === undefined) return "idle";
      const olderThanMs = Math.max(retentionMs, oldestMs + MARGIN_MS);
      const { events, deliveries, next } = await deleteOldEvents(db, { after, olderThanMs, limit: batch });
      if (events > 0) log.info({ events, deliveries }, "deleted events that are older than the ledger's retention");
      removed = { events: removed.events + events, deliveries: removed.deliveries + deliveries };
      if (next === undefined) {
        await recordPruning(db, { retentionMs, ...removed });
        removed = { events: 0, deliveries: 0 };
        return "idle";
      }
      after = next;
      await pause(PAUSE_BETWEEN_BATCHES_MS, signal);
      return "again";
    },
  });
};
