import type { Redis } from "ioredis";
import type { Keys } from "./keys.ts";

/**
 * Whether this process is the reporter for the next `holdMs`: the first to ask, and the same one as long as it asks again in
 * time (SET NX GET, Redis 7.0). Not a lock: two may hold it for a moment, which only duplicates a report.
 */
export const mayReport = async (redis: Redis, keys: Keys, name: string, holdMs: number): Promise<boolean> => {
  const holder = await redis.set(keys.reporter, name, "PX", holdMs, "NX", "GET");
  if (holder === null) return true;
  if (holder !== name) return false;
  await redis.pexpire(keys.reporter, holdMs);
  return true;
};

/** Lets another process report at once. */
export const stopReporting = async (redis: Redis, keys: Keys, name: string): Promise<void> => {
  if ((await redis.get(keys.reporter)) === name) await redis.del(keys.reporter);
};
