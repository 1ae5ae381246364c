import { createHash } from "node:crypto";
import type { Redis } from "ioredis";

/** A Lua script that runs atomically in Redis. */
export interface Script {
  readonly source: string;
  readonly sha1: string;
}

export const defineScript = (source: string): Script => ({
  source,
  sha1: createHash("sha1").update(source).digest("hex"),
});

/** EVALSHA; EVAL where Redis does not have the script yet (a restart or a flush removes it). */
export const runScript = async (
  redis: Redis,
  script: Script,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> => {
  try {
    return await redis.evalsha(script.sha1, keys.length, ...keys, ...args);
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith("NOSCRIPT"))) throw error;
    return await redis.eval(script.source, keys.length, ...keys, ...args);
  }
};

/** Calls in flight: many more would wait in this process and in Redis, which runs them one by one. */
const MOST_SLICES = 8;

/**
 * Runs `work` for each part of at most `size` ids, a few at a time. After a failure no further part begins; it rejects with the first
 * failure when those in flight have ended.
 */
export const inSlices = async <T>(
  ids: readonly string[],
  size: number,
  work: (slice: readonly string[]) => Promise<T>,
): Promise<readonly T[]> => {
  const slices = Array.from({ length: Math.ceil(ids.length / size) }, (_, index) =>
    ids.slice(index * size, (index + 1) * size),
  );
  const results: T[] = [];
  for (let start = 0; start < slices.length; start += MOST_SLICES) {
    for (const result of await Promise.allSettled(slices.slice(start, start + MOST_SLICES).map(work))) {
      if (result.status === "rejected") throw result.reason;
      results.push(result.value);
    }
  }
  return results;
};
