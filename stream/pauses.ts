import type { Redis } from "ioredis";
import type { Keys } from "./keys.ts";

/** Pauses a group: its consumers stop reading within about a second (SADD). False if it was paused already. */
export const pauseGroup = async (redis: Redis, keys: Keys, group: string): Promise<boolean> =>
  (await redis.sadd(keys.paused, group)) === 1;

/** Resumes a group (SREM). False if it was not paused. */
export const resumeGroup = async (redis: Redis, keys: Keys, group: string): Promise<boolean> =>
  (await redis.srem(keys.paused, group)) === 1;

/** Whether an operator has paused the group (SISMEMBER). */
export const isPaused = async (redis: Redis, keys: Keys, group: string): Promise<boolean> =>
  (await redis.sismember(keys.paused, group)) === 1;
