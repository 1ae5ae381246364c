import type { Redis } from "ioredis";

/** Entries per call: a trim blocks Redis while it runs. */
const SLICE = 10_000;
const MAX_SLICES = 100;

/**
 * Drops what lies below an id (XTRIM MINID), in slices; returns how many entries went. What is at or above it stays, so
 * `lag` stays exact as long as all groups have finished what is below.
 */
export const trimBelow = async (redis: Redis, stream: string, minId: string): Promise<number> => {
  let trimmed = 0;
  for (let slice = 0; slice < MAX_SLICES; slice += 1) {
    // Whole nodes first: cheap, and bounded.
    const dropped = await redis.xtrim(stream, "MINID", "~", minId, "LIMIT", SLICE);
    trimmed += dropped;
    if (dropped === 0) break;
  }
  return trimmed + (await redis.xtrim(stream, "MINID", minId));
};
