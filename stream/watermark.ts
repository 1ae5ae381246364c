import type { Redis } from "ioredis";
import type { Group } from "./groups.ts";
import type { Keys } from "./keys.ts";

/** Where a group stands on one stream, in ids; undefined: there is none. */
export interface GroupPosition {
  readonly oldestUnread: string | undefined;
  readonly oldestPending: string | undefined;
}

/** The time in an entry's id: ms of Redis' clock since 1970. */
export const entryTimeMs = (entryId: string): number => Number(entryId.split("-")[0]);

/**
 * The low watermark of a group: the time of the oldest entry that is unread or pending on any of its streams; `nowMs` if
 * there is none. Whatever was put in line before it has been overtaken: it is done, waiting aside, or lost.
 *
 * Three use it: the janitor trims below it, the reconciler looks for lost mails below it, and its age is what the oldest
 * unfinished mail has waited. An id from the future (somebody's own) counts as now.
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

const groupsOf = async (redis: Redis, stream: string): Promise<unknown> => {
  try {
    return await redis.xinfo("GROUPS", stream);
  } catch (error) {
    if (error instanceof Error && error.message.includes("no such key")) return [];
    throw error;
  }
};

const lastDelivered = async (redis: Redis, stream: string, group: string): Promise<string | undefined> => {
  const groups = await groupsOf(redis, stream);
  if (!Array.isArray(groups)) return undefined;
  for (const item of groups) {
    if (!Array.isArray(item)) continue;
    const values = new Map<unknown, unknown>();
    for (let index = 0; index + 1 < item.length; index += 2) values.set(item[index], item[index + 1]);
    if (values.get("name") === group) return String(values.get("last-delivered-id"));
  }
  return undefined;
};

const positionOn = async (redis: Redis, stream: string, group: string): Promise<GroupPosition> => {
  const delivered = await lastDelivered(redis, stream, group);
  // A group that is missing has read nothing: all that is there is unread.
  const [next] = await redis.xrange(stream, delivered === undefined ? "-" : `(${delivered}`, "+", "COUNT", 1);
  if (delivered === undefined) return { oldestUnread: next?.[0], oldestPending: undefined };
  const summary: unknown = await redis.xpending(stream, group);
  const oldest: unknown = Array.isArray(summary) ? summary[1] : undefined;
  return { oldestUnread: next?.[0], oldestPending: typeof oldest === "string" ? oldest : undefined };
};

/** How long ago the low watermark was, in ms of Redis' clock: 0 when the group has nothing left to do. */
export const watermarkAgeMs = async (redis: Redis, keys: Keys, group: Group): Promise<number> => {
  const positions = await Promise.all([
    positionOn(redis, keys.events, group.name),
    positionOn(redis, keys.retries(group.name), group.name),
  ]);
  const nowMs = await redisTimeMs(redis);
  return nowMs - lowWatermarkMs(positions, nowMs);
};
