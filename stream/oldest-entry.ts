import type { Redis } from "ioredis";
import type { Group } from "./groups.ts";
import type { Keys } from "./keys.ts";
import { entryTimeMs, redisTimeMs } from "./watermark.ts";

/**
 * Age of the oldest entry that any stream of the pipeline still has, in ms of Redis' clock; 0 if there is none. undefined: nobody knows,
 * because that clock was set back. Whatever the state of a group, and even if it is made anew, it reads nothing that is older.
 */
export const oldestEntryAgeMs = async (
  redis: Redis,
  keys: Keys,
  groups: readonly Group[],
): Promise<number | undefined> => {
  const streams = [keys.events, ...groups.map(({ name }) => keys.retriesStream(name))];
  const firsts = await Promise.all(streams.map((stream) => redis.xrange(stream, "-", "+", "COUNT", 1)));
  const nowMs = await redisTimeMs(redis);
  const ages = firsts.flat().map(([id]) => nowMs - entryTimeMs(id));
  return ages.some((age) => age < 0) ? undefined : Math.max(0, ...ages);
};
