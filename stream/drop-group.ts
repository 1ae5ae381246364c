import type { Redis } from "ioredis";
import { orNone } from "./info-records.ts";
import type { Keys } from "./keys.ts";

/**
 * Removes a group from the log, and deletes its retry set, retries stream, dead letters and their index (XGROUP DESTROY,
 * UNLINK). Its unread and pending entries are lost to this group. Returns whether there was anything to remove.
 * Idempotent: an interrupted run can be repeated.
 */
export const dropGroup = async (redis: Redis, keys: Keys, group: string): Promise<boolean> => {
  const destroyed = await orNone(redis.xgroup("DESTROY", keys.events, group));
  const own = [keys.retrySet(group), keys.retriesStream(group), keys.dead(group), keys.deadIndex(group)];
  const deleted = await redis.unlink(...own);
  return destroyed === 1 || deleted > 0;
};
