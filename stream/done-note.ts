import type { Redis } from "ioredis";

const WEEK_S = 7 * 24 * 3_600;

/** Notes that the work is done while the ledger cannot be written: SET key 1 EX 7 days. */
export const noteDone = async (redis: Redis, key: string): Promise<boolean> => {
  await redis.set(key, "1", "EX", WEEK_S);
  return true;
};

/** The keys that exist (MGET). */
export const findDoneNotes = async (redis: Redis, keys: readonly string[]): Promise<Set<string>> => {
  if (keys.length === 0) return new Set();
  const values = await redis.mget(...keys);
  return new Set(keys.filter((_, index) => values[index] !== null));
};

/** Deletes notes, so that the work is done again. */
export const deleteDoneNotes = async (redis: Redis, keys: readonly string[]): Promise<void> => {
  if (keys.length > 0) await redis.unlink(...keys);
};
