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
