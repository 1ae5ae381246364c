import type { Redis } from "ioredis";
import { isBelow } from "./watermark.ts";

/**
 * The id below which a stream may be trimmed (XTRIM MINID); undefined if it may not be trimmed.
 *
 * Unfinished entries of any group stay, and so do entries younger than the retention: those after `endThen`, where the stream ended a retention ago at
 * least, if that is known, and those whose ids tell it. Ids alone would not do: behind one in the future, all that are added are ahead of the clock. The
 * bound is an id, not only a time: of two entries in one millisecond the first may be done and the second not.
 */
export const trimBound = (
  unfinished: readonly (string | undefined)[],
  {
    nowMs,
    retentionMs,
    endThen = "0-0",
  }: { readonly nowMs: number; readonly retentionMs: number; readonly endThen?: string | undefined },
): string | undefined => {
  const byId = `${Math.max(0, nowMs - retentionMs)}-0`;
  const byAge = isBelow(byId, endThen) ? endThen : byId;
  const lowest = unfinished.filter((id) => id !== undefined).reduce((low, id) => (isBelow(id, low) ? id : low), byAge);
  return lowest === "0-0" ? undefined : lowest;
};

/** Entries per call: a trim blocks Redis while it runs. */
const SLICE = 10_000;
const MAX_SLICES = 100;

/**
 * Removes the entries below an id (XTRIM MINID), in slices; returns how many. `lag` stays exact as long as all groups have
 * finished what is below.
 */
export const trimBelow = async (redis: Redis, stream: string, minId: string): Promise<number> => {
  let trimmed = 0;
  for (let slice = 0; slice < MAX_SLICES; slice += 1) {
    // Whole nodes first: cheap, and bounded by LIMIT.
    const dropped = await redis.xtrim(stream, "MINID", "~", minId, "LIMIT", SLICE);
    trimmed += dropped;
    if (dropped === 0) break;
  }
  return trimmed + (await redis.xtrim(stream, "MINID", minId));
};
