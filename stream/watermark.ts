import type { Redis } from "ioredis";
import { redisErrorCode } from "./connection.ts";
import { infoRecords, orNone } from "./info-records.ts";
import type { Keys } from "./keys.ts";
import { groupOn, groupsReader, type ReadGroups } from "./read-groups.ts";

/** The position of a group on one stream, in ids; undefined: none. */
export interface GroupPosition {
  readonly oldestUnread: string | undefined;
  readonly oldestPending: string | undefined;
}

/** The time in an entry's id: ms of Redis' clock since 1970. */
export const entryTimeMs = (entryId: string): number => Number(entryId.split("-")[0]);

const sequence = (id: string): number => Number(id.split("-")[1] ?? 0);

/** Whether one entry id is lower than another. */
export const isBelow = (left: string, right: string): boolean => {
  const [leftMs, rightMs] = [entryTimeMs(left), entryTimeMs(right)];
  return leftMs < rightMs || (leftMs === rightMs && sequence(left) < sequence(right));
};

/**
 * The low watermark of a group: the time of the oldest entry that is unread or pending on any of its streams; `nowMs` if
 * there is none. An entry queued before it is done, in the retry set, or lost.
 *
 * The janitor trims below it, the reconciler looks for lost deliveries below it, and its age is the age of the oldest
 * unfinished entry. An id in the future counts as now: how old its entry is nobody knows (`hasFutureIds`).
 */
export const lowWatermarkMs = (positions: readonly GroupPosition[], nowMs: number): number =>
  positions
    .flatMap((position) => [position.oldestUnread, position.oldestPending])
    .filter((id) => id !== undefined)
    .reduce((lowest, id) => Math.min(lowest, entryTimeMs(id)), nowMs);

/**
 * Whether an unread or pending entry has an id in the future, because Redis' clock was set back: XADD goes on from the highest id.
 * Then ids do not tell what the group has overtaken.
 */
const hasFutureIds = (positions: readonly GroupPosition[], nowMs: number): boolean =>
  positions
    .flatMap((position) => [position.oldestUnread, position.oldestPending])
    .some((id) => id !== undefined && entryTimeMs(id) > nowMs);

/** Redis' own clock, ms since 1970 (TIME). */
export const redisTimeMs = async (redis: Redis): Promise<number> => {
  const [seconds, microseconds] = await redis.time();
  return Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000);
};

/** Nothing can be behind it, and Redis refuses to be asked. */
export const HIGHEST_ID = "18446744073709551615-18446744073709551615";

const positionOn = async (redis: Redis, read: ReadGroups, stream: string, group: string): Promise<GroupPosition> => {
  const delivered = (await groupOn(read, stream, group))?.get("last-delivered-id");
  // A missing group has read nothing: every entry is unread.
  const from = delivered === undefined ? "-" : `(${delivered}`;
  const [next] = delivered === HIGHEST_ID ? [] : await redis.xrange(stream, from, "+", "COUNT", 1);
  if (delivered === undefined) return { oldestUnread: next?.[0], oldestPending: undefined };
  const summary: unknown = await redis.xpending(stream, group);
  const oldest: unknown = Array.isArray(summary) ? summary[1] : undefined;
  return { oldestUnread: next?.[0], oldestPending: typeof oldest === "string" ? oldest : undefined };
};

/** The position of a group on both of its streams. */
export const groupPositions = (
  redis: Redis,
  keys: Keys,
  group: string,
  read: ReadGroups = groupsReader(redis),
): Promise<GroupPosition[]> =>
  Promise.all([keys.events, keys.retriesStream(group)].map((stream) => positionOn(redis, read, stream, group)));

/** Age of the low watermark in ms of Redis' clock, at least; 0 when the group has finished everything. */
export const watermarkAgeMs = async (
  redis: Redis,
  keys: Keys,
  group: string,
  read: ReadGroups = groupsReader(redis),
): Promise<number> => {
  const positions = await groupPositions(redis, keys, group, read);
  const nowMs = await redisTimeMs(redis);
  return nowMs - lowWatermarkMs(positions, nowMs);
};

/** The last ids of a group's two streams at one moment: what was published before has no higher ones. */
export interface StreamEnds {
  /** Monotonic, ms. */
  readonly atMs: number;
  readonly ids: readonly string[];
}

/** What a group has overtaken now, and what to compare with the next time. */
export interface Overtaken {
  /** Everything published so long ago, in ms, is done, in the retry set, or lost; undefined: nobody knows. */
  readonly byMs: number | undefined;
  readonly ends: StreamEnds | undefined;
}

/**
 * What a group has overtaken: all below its low watermark. While ids lie in the future, all that was published before streams
 * ended where they did when this was asked before (`before`), if the group has read past it since.
 */
export const overtaken = (
  positions: readonly GroupPosition[],
  {
    nowMs,
    before,
    ends,
  }: { readonly nowMs: number; readonly before: StreamEnds | undefined; readonly ends: StreamEnds },
): Overtaken => {
  if (!hasFutureIds(positions, nowMs)) return { byMs: nowMs - lowWatermarkMs(positions, nowMs), ends: undefined };
  if (before === undefined) return { byMs: undefined, ends };
  const isPast = positions.every(({ oldestUnread, oldestPending }, index) =>
    [oldestUnread, oldestPending].every((id) => id === undefined || isBelow(before.ids[index] ?? "0-0", id)),
  );
  return isPast ? { byMs: ends.atMs - before.atMs, ends } : { byMs: undefined, ends: before };
};

/** The highest id that a stream has had (XINFO STREAM); 0-0 if it is missing. */
export const endOf = async (redis: Redis, stream: string): Promise<string> => {
  const [record] = infoRecords([await orNone(redis.xinfo("STREAM", stream))]);
  return String(record?.get("last-generated-id") ?? "0-0");
};

/** Whether a stream has had the highest id that there is, so that Redis adds nothing to it any more. Not of a login without the right to ask. */
export const isAtEnd = async (redis: Redis, stream: string): Promise<boolean> => {
  const end = await endOf(redis, stream).catch((error: unknown) => {
    if (redisErrorCode(error) === "NOPERM") return undefined;
    throw error;
  });
  return end === HIGHEST_ID;
};

/** Asks what a group has overtaken, now that it was asked before. */
export const readOvertaken = async (
  redis: Redis,
  keys: Keys,
  group: string,
  { before, now }: { readonly before: StreamEnds | undefined; readonly now: () => number },
): Promise<Overtaken> => {
  // Before the ids: what is published between the two has a higher one, and counts as later.
  const atMs = now();
  const ids = await Promise.all([keys.events, keys.retriesStream(group)].map((stream) => endOf(redis, stream)));
  const positions = await groupPositions(redis, keys, group);
  return overtaken(positions, { nowMs: await redisTimeMs(redis), before, ends: { atMs, ids } });
};
