import type { Redis } from "ioredis";
import { entryTimeMs } from "./watermark.ts";

/**
 * Up to which id a stream may be trimmed (XTRIM MINID: ids below go), or undefined for not at all.
 *
 * Never at or above what any group has yet to finish, and never what is younger than the retention. The bound is an id, not
 * only its time: of two entries in one millisecond the first may be done and the second not.
 */
export const trimBound = (
  unfinished: readonly (string | undefined)[],
  nowMs: number,
  retentionMs: number,
): string | undefined => {
  const byAge = `${Math.max(0, nowMs - retentionMs)}-0`;
  const lowest = unfinished.filter((id) => id !== undefined).reduce((low, id) => (isBelow(id, low) ? id : low), byAge);
  return lowest === "0-0" ? undefined : lowest;
};

const sequence = (id: string): number => Number(id.split("-")[1] ?? 0);

/** Whether one entry id lies before another. */
const isBelow = (left: string, right: string): boolean => {
  const [leftMs, rightMs] = [entryTimeMs(left), entryTimeMs(right)];
  return leftMs < rightMs || (leftMs === rightMs && sequence(left) < sequence(right));
};

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
