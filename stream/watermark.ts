import type { Redis } from "ioredis";
import { infoRecords, orNone } from "./info-records.ts";
import type { Keys } from "./keys.ts";

/** The position of a group on one stream, in ids; undefined: none. */
export interface GroupPosition {
  readonly oldestUnread: string | undefined;
  readonly oldestPending: string | undefined;
}

/** The time in an entry's id: ms of Redis' clock since 1970. */
export const entryTimeMs = (entryId: string): number => Number(entryId.split("-")[0]);

/**
 * The low watermark of a group: the time of the oldest entry that is unread or pending on any of its streams; `nowMs` if
 * there is none. An entry queued before it is done, in the retry set, or lost.
 *
 * The janitor trims below it, the reconciler looks for lost deliveries below it, and its age is the age of the oldest
 * unfinished entry. An id in the future counts as now.
 */
export const lowWatermarkMs = (positions: readonly GroupPosition[], nowMs: number): number =>
  positions
    .flatMap((position) => [position.oldestUnread, position.oldestPending])
    .filter((id) => id !== undefined)
    .reduce((lowest, id) => Math.min(lowest, entryTimeMs(id)), nowMs);

/** Redis' own clock, ms since 1970 (TIME). */
export const redisTimeMs = async (redis: Redis): Promise<number> => {
  const [seconds, microseconds] = await redis.time();
  return Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000);
};

/** The last id that Redis has delivered to a group on a stream; undefined if the group is missing. */
const lastDelivered = async (redis: Redis, stream: string, group: string): Promise<string | undefined> => {
  const records = infoRecords(await orNone(redis.xinfo("GROUPS", stream)));
  const found = records.find((record) => record.get("name") === group);
  return found === undefined ? undefined : String(found.get("last-delivered-id"));
};

const positionOn = async (redis: Redis, stream: string, group: string): Promise<GroupPosition> => {
  const delivered = await lastDelivered(redis, stream, group);
  // A missing group has read nothing: every entry is unread.
  const [next] = await redis.xrange(stream, delivered === undefined ? "-" : `(${delivered}`, "+", "COUNT", 1);
  if (delivered === undefined) return { oldestUnread: next?.[0], oldestPending: undefined };
  const summary: unknown = await redis.xpending(stream, group);
  const oldest: unknown = Array.isArray(summary) ? summary[1] : undefined;
  return { oldestUnread: next?.[0], oldestPending: typeof oldest === "string" ? oldest : undefined };
};

/** The position of a group on both of its streams. */
export const groupPositions = (redis: Redis, keys: Keys, group: string): Promise<GroupPosition[]> =>
  Promise.all([positionOn(redis, keys.events, group), positionOn(redis, keys.retriesStream(group), group)]);

/** Age of the low watermark in ms of Redis' clock; 0 when the group has finished everything. */
export const watermarkAgeMs = async (redis: Redis, keys: Keys, group: string): Promise<number> => {
  const positions = await groupPositions(redis, keys, group);
  const nowMs = await redisTimeMs(redis);
  return nowMs - lowWatermarkMs(positions, nowMs);
};
