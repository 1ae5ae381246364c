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
  /** Pieces finished in these minutes. */
  readonly total: number;
  /** Half of them took at most so long, from the event (or the end of the group's delay) to the effect; undefined: there are none. */
  readonly medianMs: number | undefined;
}

const MINUTES = 60;

/** The history of counts by `minute:bucket`, as of a minute since 1970. */
export const historyOf = (counts: Readonly<Record<string, string>>, minute: number): History => {
  const perMinute = new Array<number>(MINUTES).fill(0);
  const byBucket = new Map<number, number>();
  for (const [field, text] of Object.entries(counts)) {
    const [at = 0, bucket = 0] = field.split(":").map(Number);
    const slot = MINUTES - 1 - (minute - at);
    if (slot < 0 || slot >= MINUTES) continue;
    perMinute[slot] = (perMinute[slot] ?? 0) + Number(text);
    byBucket.set(bucket, (byBucket.get(bucket) ?? 0) + Number(text));
  }
  const total = perMinute.reduce((sum, count) => sum + count, 0);
  let below = 0;
  for (const [bucket, count] of [...byBucket].sort(([left], [right]) => left - right)) {
    below += count;
    if (below * 2 >= total) return { perMinute, total, medianMs: boundOf(bucket) };
  }
  return { perMinute, total, medianMs: undefined };
};

/** Reads the history of a group (HGETALL), as of Redis' clock. */
export const readHistory = async (redis: Redis, keys: Keys, group: string, nowMs: number): Promise<History> =>
  historyOf(await redis.hgetall(keys.history(group)), Math.floor(nowMs / 60_000));
