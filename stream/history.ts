import type { Redis } from "ioredis";
import type { Keys } from "./keys.ts";

/** Buckets to a doubling of time: a bucket's bounds are 19 % apart. */
const STEPS = 4;

/** The bucket of a time in ms; times below 1 ms are in the first. */
export const bucketOf = (ms: number): number => Math.max(0, Math.ceil(Math.log2(Math.max(1, ms)) * STEPS));

/** The upper bound of a bucket, in ms. */
export const boundOf = (bucket: number): number => 2 ** (bucket / STEPS);

/** What a group has finished. */
export interface History {
  /** Pieces finished in each of the last 60 minutes, the oldest first; the last one is not over yet. */
  readonly perMinute: readonly number[];
  /** Half of those of each minute took at most so long, in ms; null: there are none. */
  readonly medianPerMinute: readonly (number | null)[];
  /** Pieces finished in these minutes. */
  readonly total: number;
  /** Half of them took at most so long, from the event (or the end of the group's delay) to the effect; undefined: there are none. */
  readonly medianMs: number | undefined;
}

const MINUTES = 60;

/** The bound below which half of the counts by bucket are; undefined: there are none. */
const medianOf = (byBucket: ReadonlyMap<number, number>): number | undefined => {
  const total = byBucket.values().reduce((sum, count) => sum + count, 0);
  let below = 0;
  for (const [bucket, count] of [...byBucket].sort(([left], [right]) => left - right)) {
    below += count;
    if (below * 2 >= total) return boundOf(bucket);
  }
  return undefined;
};

const add = (counts: Map<number, number>, bucket: number, count: number): void =>
  void counts.set(bucket, (counts.get(bucket) ?? 0) + count);

/** The history of counts by `minute:bucket`, as of a minute since 1970. */
export const historyOf = (counts: Readonly<Record<string, string>>, minute: number): History => {
  const ofMinutes = Array.from({ length: MINUTES }, () => new Map<number, number>());
  const ofHour = new Map<number, number>();
  for (const [field, text] of Object.entries(counts)) {
    const [at = 0, bucket = 0] = field.split(":").map(Number);
    const ofMinute = ofMinutes[MINUTES - 1 - (minute - at)];
    if (ofMinute === undefined) continue;
    add(ofMinute, bucket, Number(text));
    add(ofHour, bucket, Number(text));
  }
  const perMinute = ofMinutes.map((byBucket) => byBucket.values().reduce((sum, count) => sum + count, 0));
  return {
    perMinute,
    medianPerMinute: ofMinutes.map((byBucket) => medianOf(byBucket) ?? null),
    total: perMinute.reduce((sum, count) => sum + count, 0),
    medianMs: medianOf(ofHour),
  };
};

/** Reads the history of a group (HGETALL), as of Redis' clock. */
export const readHistory = async (redis: Redis, keys: Keys, group: string, nowMs: number): Promise<History> =>
  historyOf(await redis.hgetall(keys.history(group)), Math.floor(nowMs / 60_000));
