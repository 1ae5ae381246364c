import type { Redis } from "ioredis";
import type { Database } from "../../database/connection.ts";
import { deleteRelayed, leaseOutbox, releaseOutbox } from "../../database/outbox.ts";
import type { Logger } from "../../observability/logger.ts";
import { type Loop, startLoop } from "../../runtime/loop.ts";
import type { Keys } from "../../stream/keys.ts";
import { publishAll } from "../../stream/publish.ts";

export interface RelayDeps {
  readonly db: Database;
  readonly redis: Redis;
  readonly keys: Keys;
  readonly log: Logger;
}

export interface RelayOptions {
  /** How long a row waits for its own request's XADD, in ms. */
  readonly olderThanMs?: number;
  readonly everyMs?: number;
}

/** Older than the request's own XADD takes: the two should not race. */
const OLDER_THAN_MS = 2_000;
const LEASE_MS = 10_000;
const BATCH = 200;
const EVERY_MS = 1_000;

/**
 * Publishes what was committed and is still in the outbox: the process that made the event died, or Redis was away.
 * Oldest first. A row goes only after its XADD was confirmed; an XADD whose answer was lost makes a second entry of the
 * same event, which is one piece of work all the same.
 */
export const startRelay = ({ db, redis, keys, log }: RelayDeps, options: RelayOptions = {}): Loop => {
  const { olderThanMs = OLDER_THAN_MS, everyMs = EVERY_MS } = options;
  return startLoop({
    name: "relay",
    log,
    everyMs,
    needs: redis,
    turn: async () => {
      // Rows that cannot be published are not taken: a relay whose Redis is away must not hold them.
      await redis.ping();
      const rows = await leaseOutbox(db, { olderThanMs, limit: BATCH, leaseMs: LEASE_MS });
      if (rows.length === 0) return "idle";
      const results = await publishAll(redis, keys.events, rows);
      const idsOf = (status: "fulfilled" | "rejected") =>
        rows.filter((_, index) => results[index]?.status === status).map((row) => row.event_id);
      const relayed = await deleteRelayed(db, idsOf("fulfilled"), LEASE_MS);
      if (relayed > 0) log.info({ relayed }, "relayed events that were left in the outbox");
      await releaseOutbox(db, idsOf("rejected"));
      for (const result of results) if (result.status === "rejected") throw result.reason;
      return rows.length === BATCH ? "again" : "idle";
    },
  });
};
