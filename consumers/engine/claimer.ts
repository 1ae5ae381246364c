import type { Redis } from "ioredis";
import type { Logger } from "../../observability/logger.ts";
import { claimIdle, type Entry } from "../../stream/entries.ts";
import type { Keys } from "../../stream/keys.ts";

export interface ClaimerDeps {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly group: string;
  readonly consumer: string;
  readonly log: Logger;
  /** Monotonic, ms. */
  readonly now: () => number;
}

export interface Claimer {
  /** Takes over what dead peers left, at most `room`, if a scan is due; else nothing. */
  claimDue(room: number): Promise<Entry[]>;
}

/**
 * Scans both streams of a group every quarter of the claim threshold (XAUTOCLAIM). One's own entries are among them: a read
 * whose reply was lost is found this way.
 *
 * Idle times run on while Redis is away. So nobody claims within one threshold of connecting: the owners renew first.
 */
export const createClaimer = (deps: ClaimerDeps, options: { readonly claimMinIdleMs: number }): Claimer => {
  const { redis, keys, group, consumer, log, now } = deps;
  const { claimMinIdleMs } = options;
  let connectedAt = now();
  redis.on("ready", () => {
    connectedAt = now();
  });
  let scannedAt = Number.NEGATIVE_INFINITY;
  let mayHaveMore = false;

  return {
    async claimDue(room) {
      if (now() - connectedAt < claimMinIdleMs) return [];
      if (!mayHaveMore && now() - scannedAt < claimMinIdleMs / 4) return [];
      const found: Entry[] = [];
      for (const stream of [keys.retries(group), keys.events]) {
        if (found.length >= room) break;
        const claimed = await claimIdle(redis, {
          group,
          consumer,
          stream,
          minIdleMs: claimMinIdleMs,
          count: room - found.length,
        });
        found.push(...claimed.entries);
        if (claimed.trimmed.length > 0) {
          log.warn({ stream, entry_ids: claimed.trimmed }, "pending entries were trimmed; the ledger brings them back");
        }
      }
      scannedAt = now();
      mayHaveMore = found.length >= room;
      if (found.length > 0) log.info({ claimed: found.length }, "claimed entries that their consumer had left");
      return found;
    },
  };
};
