import type { Redis } from "ioredis";
import type { Keys } from "./keys.ts";

/** Whether an operator has paused the group (SISMEMBER). */
export const isPaused = async (redis: Redis, keys: Keys, group: string): Promise<boolean> =>
  (await redis.sismember(keys.paused, group)) === 1;
