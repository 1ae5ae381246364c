import type { Redis } from "ioredis";
import type { Logger } from "../../observability/logger.ts";
import { claimIdle, type Entry, unclaim } from "../../stream/entries.ts";
import type { Keys } from "../../stream/keys.ts";
import type { InFlight } from "./in-flight.ts";

export interface ClaimerDeps {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly group: string;
  readonly consumer: string;
  readonly inFlight: InFlight;
  readonly log: Logger;
  /** Monotonic, ms. */
  readonly now: () => number;
}

export interface Claimer {
  /** Claims entries of dead peers, at most `room`, if a scan is due. */
  claimDue(room: number): Promise<Entry[]>;
  /** Whether there are suspected entries, each of which must run alone. */
  readonly suspectsWait: () => boolean;
  /** Claims one of them. For a consumer with nothing else in flight. */
  claimSuspect(): Promise<Entry | undefined>;
}

/** The delivery that runs alone: two consumers died with the entry in flight. */
export const SUSPECT_DELIVERY = 3;

/**
 * Scans both streams of a group every quarter of the claim threshold (XAUTOCLAIM), this consumer's own entries included: so
 * entries of a lost reply are found.
 *
 * Idle times increase while Redis is unavailable, so nothing is claimed within one threshold of connecting: owners renew first.
 *
 * An entry whose consumers died twice is suspected. A consumer with nothing else in flight claims it, so that another crash
 * does not count against other entries.
 */
export const createClaimer = (deps: ClaimerDeps, options: { readonly claimMinIdleMs: number }): Claimer => {
  const { redis, keys, group, consumer, inFlight, log, now } = deps;
  const { claimMinIdleMs } = options;
  let connectedAt = now();
  redis.on("ready", () => {
    connectedAt = now();
  });
  let scannedAt = Number.NEGATIVE_INFINITY;
  let mayHaveMore = false;
  let suspects = 0;

  const claim = async (count: number): Promise<Entry[]> => {
    const found: Entry[] = [];
    for (const stream of [keys.retriesStream(group), keys.events]) {
      if (found.length >= count) break;
      const args = { group, consumer, stream, minIdleMs: claimMinIdleMs, count: count - found.length };
      const claimed = await claimIdle(redis, args);
      found.push(...claimed.entries);
      if (claimed.trimmed.length > 0) {
        log.warn(
          { stream, entry_ids: claimed.trimmed },
          "pending entries were trimmed; the reconciler will queue their deliveries again",
        );
      }
    }
    return found;
  };

  const giveUp = (entry: Entry, idleMs: number) => unclaim(redis, { group, consumer, idleMs }, entry);

  return {
    suspectsWait: () => suspects > 0,
    async claimDue(room) {
      if (now() - connectedAt < claimMinIdleMs) return [];
      if (!mayHaveMore && now() - scannedAt < claimMinIdleMs / 4) return [];
      const claimed = await claim(room);
      // Our own entries that the heartbeat could not renew in time: still ours, not a new delivery.
      const [own, found] = [claimed.filter(inFlight.holds), claimed.filter((entry) => !inFlight.holds(entry))];
      const suspected = found.filter((entry) => entry.deliveries === SUSPECT_DELIVERY);
      await Promise.all([
        ...own.map((entry) => giveUp(entry, 0)),
        ...suspected.map((entry) => giveUp(entry, claimMinIdleMs)),
      ]);
      scannedAt = now();
      mayHaveMore = claimed.length >= room;
      suspects = suspected.length;
      const taken = found.filter((entry) => entry.deliveries !== SUSPECT_DELIVERY);
      if (taken.length > 0) log.info({ claimed: taken.length }, "claimed entries of dead consumers");
      return taken;
    },
    async claimSuspect() {
      if (now() - connectedAt < claimMinIdleMs) {
        suspects = 0;
        return undefined;
      }
      const [entry] = await claim(1);
      suspects = entry === undefined ? 0 : suspects - 1;
      // It may be another entry than the suspected one: with nothing else in flight any entry runs alone.
      if (entry !== undefined)
        log.warn({ entry_id: entry.id, deliveries: entry.deliveries }, "a suspected entry runs alone");
      return entry;
    },
  };
};
