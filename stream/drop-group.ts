import type { Redis } from "ioredis";
import { orNone } from "./info-records.ts";
import type { Keys } from "./keys.ts";

/**
 * Takes a group off the log, and deletes what it alone owns: retry set, retries stream, dead letters and their index
 * (XGROUP DESTROY, UNLINK, SREM). What it had not read or not acked is gone for this group. Returns whether there was
 * anything. Safe to run again after it was cut off.
 */
export const dropGroup = async (redis: Redis, keys: Keys, group: string): Promise<boolean> => {
  const destroyed = await orNone(redis.xgroup("DESTROY", keys.events, group));
  const own = [keys.retrySet(group), keys.retriesStream(group), keys.dead(group), keys.deadIndex(group)];
  const deleted = await redis.unlink(...own);
  const resumed = await redis.srem(keys.paused, group);
  return destroyed === 1 || deleted > 0 || resumed > 0;
};
