import type { Redis } from "ioredis";
import type { Logger } from "../../observability/logger.ts";
import { type Entry, setAside } from "../../stream/entries.ts";
import type { Keys } from "../../stream/keys.ts";
import { type ClaimedEntries, claimIdle, type Suspect } from "../../stream/scripts/claim.ts";
import type { InFlight } from "./in-flight.ts";
import type { Outages } from "./outages.ts";
import { SUSPECT_AFTER } from "./suspects.ts";

export interface ClaimerDeps {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly group: string;
  readonly consumer: string;
  readonly inFlight: InFlight;
  readonly outages: Outages;
  readonly log: Logger;
  /** Monotonic, ms. */
  readonly now: () => number;
}

export interface Claimer {
  /** Whether a scan is due. */
  readonly isDue: () => boolean;
  /** Claims entries of dead peers, at most `room`, if a scan is due; no suspects. */
  claimDue(room: number): Promise<Entry[]>;
  /** Suspects that the last scan found: they run apart (`isolation.ts`). */
  readonly suspects: () => readonly Suspect[];
  /** They were claimed, by this consumer or another one. */
  readonly forgetSuspects: (suspects: readonly Suspect[]) => void;
  /** Leaves suspects that were read, and not claimed, to the next scan; returns the others. */
  setSuspectsAside(entries: readonly Entry[]): Promise<readonly Entry[]>;
}

/**
 * Scans both streams of a group every quarter of the claim threshold, this consumer's own entries included: so entries of a
 * lost reply are found.
 */
export const createClaimer = (deps: ClaimerDeps, options: { readonly claimMinIdleMs: number }): Claimer => {
  const { redis, keys, group, consumer, inFlight, outages, log, now } = deps;
  const { claimMinIdleMs } = options;
  let scannedAt = Number.NEGATIVE_INFINITY;
  let mayHaveMore = false;
  let suspects: readonly Suspect[] = [];

  const isDue = () => mayHaveMore || now() - scannedAt >= claimMinIdleMs / 4;

  /** What one stream gave is not lost by an error of the other: it is claimed by now. */
  const claim = async (count: number): Promise<ClaimedEntries> => {
    const found: ClaimedEntries[] = [];
    const claimed = () => found.flatMap(({ entries }) => entries);
    let failure: unknown;
    for (const stream of [keys.retriesStream(group), keys.events]) {
      const left = count - claimed().length;
      if (left <= 0) break;
      const minIdleMs = outages.requiredIdleMs(claimMinIdleMs);
      const args = { group, consumer, stream, minIdleMs, count: left, suspectAfter: SUSPECT_AFTER };
      try {
        found.push(await claimIdle(redis, args));
      } catch (error) {
        failure = error;
      }
    }
    if (failure !== undefined && claimed().length === 0) throw failure;
    if (failure !== undefined) log.warn({ error: failure }, "one stream could not be scanned");
    return {
      entries: claimed(),
      suspects: found.flatMap((each) => each.suspects),
      trimmed: found.flatMap((each) => each.trimmed),
    };
  };

  return {
    isDue,
    suspects: () => suspects,
    forgetSuspects: (gone) => {
      suspects = suspects.filter(
        (suspect) => !gone.some(({ stream, id }) => suspect.id === id && suspect.stream === stream),
      );
    },
    async claimDue(room) {
      if (room <= 0 || !isDue()) return [];
      const found = await claim(room);
      scannedAt = now();
      mayHaveMore = found.entries.length >= room;
      suspects = found.suspects.filter((suspect) => !inFlight.holds(suspect));
      if (found.trimmed.length > 0) {
        log.warn(
          { entry_ids: found.trimmed },
          "pending entries were trimmed; the reconciler will queue their deliveries again",
        );
      }
      // Our own entries that the heartbeat could not renew in time: still ours, and renewed by the claim.
      const taken = found.entries.filter((entry) => !inFlight.holds(entry));
      if (taken.length > 0) log.info({ claimed: taken.length }, "claimed entries of dead consumers");
      return taken;
    },
    async setSuspectsAside(entries) {
      const suspected = entries.filter((entry) => entry.deliveries > SUSPECT_AFTER);
      if (suspected.length === 0) return entries;
      const idleMs = outages.requiredIdleMs(claimMinIdleMs);
      // If it fails, the entry is idle after a threshold all the same.
      await Promise.allSettled(suspected.map((entry) => setAside(redis, { group, consumer, idleMs }, entry)));
      return entries.filter((entry) => !suspected.includes(entry));
    },
  };
};
