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

/** Runs `work` for each part of at most `size` ids, all sent at once; rejects with the first failure when all have ended. */
export const inSlices = async <T>(
  ids: readonly string[],
  size: number,
  work: (slice: readonly string[]) => Promise<T>,
): Promise<readonly T[]> => {
  const slices = Array.from({ length: Math.ceil(ids.length / size) }, (_, index) =>
    ids.slice(index * size, (index + 1) * size),
  );
  const results = await Promise.allSettled(slices.map(work));
  return results.map((result) => {
    if (result.status === "rejected") throw result.reason;
    return result.value;
  });
};
