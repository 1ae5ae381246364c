import type { Redis } from "ioredis";
import type { Keys } from "./keys.ts";

/**
 * Whether this process is the one that reports, for `holdMs` from now: the first to ask, and then itself again each time it
 * asks in time (SET NX GET, Redis 7.0). A courtesy, not a lock: for a moment two may hold it, and nothing but the number of
 * reports depends on it.
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
