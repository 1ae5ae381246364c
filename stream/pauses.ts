import type { Redis } from "ioredis";
import type { Keys } from "./keys.ts";

/**
 * Pauses a group: its consumers stop reading within about a second. False if it was paused already; then its reason stays
 * (SADD, HSETNX, in one transaction).
 */
export const pauseGroup = async (redis: Redis, keys: Keys, group: string, reason?: string): Promise<boolean> => {
  if (reason === undefined) return (await redis.sadd(keys.paused, group)) === 1;
  const [added] = (await redis.multi().sadd(keys.paused, group).hsetnx(keys.pausedFor, group, reason).exec()) ?? [];
  if (added?.[0]) throw added[0];
  return added?.[1] === 1;
};

/** Resumes a group, and forgets the reason of its pause (SREM, HDEL). False if it was not paused. */
export const resumeGroup = async (redis: Redis, keys: Keys, group: string): Promise<boolean> => {
  const removed = await redis.srem(keys.paused, group);
  await redis.hdel(keys.pausedFor, group);
  return removed === 1;
};

/** Whether the group is paused (SISMEMBER). */
export const isPaused = async (redis: Redis, keys: Keys, group: string): Promise<boolean> =>
  (await redis.sismember(keys.paused, group)) === 1;
