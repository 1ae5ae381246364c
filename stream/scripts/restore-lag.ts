import type { Redis } from "ioredis";
import { infoRecords, numberOf } from "../info-records.ts";
import { groupsReader } from "../read-groups.ts";
import { HIGHEST_ID, isBelow } from "../watermark.ts";
import ids from "./ids.lua" with { type: "text" };
import source from "./restore-lag.lua" with { type: "text" };
import rewindSource from "./rewind.lua" with { type: "text" };
import { defineScript, runScript } from "./script.ts";

const script = defineScript(ids + source);
const rewind = defineScript(ids + rewindSource);

/** Entries per slice, outside and inside the script: each blocks Redis for well under a millisecond. */
const SLICE = 500;
const MAX_TRIES = 5;
/** Entries that are looked at in each round, to see whether a lag can be right. A pod reads more at once. */
const PROBE = 100;

/** Counts the entries after an id in slices, at most so many, and keeps the count at the end of each slice. */
const countAfter = async (
  redis: Redis,
  stream: string,
  id: string,
  atMost = Number.POSITIVE_INFINITY,
): Promise<(string | number)[]> => {
  const landmarks: (string | number)[] = [id, 0];
  let last = id;
  if (id === HIGHEST_ID) return landmarks;
  for (let counted = 0; ; ) {
    const slice = await redis.xrange(stream, `(${last}`, "+", "COUNT", SLICE);
    counted += slice.length;
    last = slice.at(-1)?.[0] ?? last;
    if (slice.length > 0) landmarks.push(last, counted);
    if (slice.length < SLICE || counted >= atMost) return landmarks;
  }
};

/** What Redis says of a stream (XINFO STREAM). */
interface StreamInfo {
  readonly length: number;
  readonly lastId: string;
  readonly maxDeletedId: string;
}

const infoOf = async (redis: Redis, stream: string): Promise<StreamInfo> => {
  const [record] = infoRecords([await redis.xinfo("STREAM", stream)]);
  return {
    length: numberOf(record, "length") ?? 0,
    lastId: String(record?.get("last-generated-id")),
    maxDeletedId: String(record?.get("max-deleted-entry-id") ?? NO_ID),
  };
};

const NO_ID = "0-0";

/**
 * The state of a lag: 0, after the last entry; known; to be counted, because it is nil or cannot be right; not to be known; or of a group whose
 * position lies beyond the end of the stream.
 */
export type LagState = "read" | "known" | "count" | "hole" | "beyond";

/**
 * Judges the lag that Redis reports. It cannot be right if it is more than the stream is long, or not 0 after the last entry: Redis
 * 7.0 reads so after a second restart. It cannot be known as long as an entry that XDEL took is not read past.
 */
export const judgeLag = (
  group: { readonly lag: number | undefined; readonly deliveredId: string },
  { length, lastId, maxDeletedId }: StreamInfo,
): LagState => {
  if (group.deliveredId === lastId) return group.lag === 0 ? "read" : "count";
  if (isBelow(lastId, group.deliveredId)) return "beyond";
  if (group.lag === undefined) {
    const isHole = maxDeletedId !== NO_ID && !isBelow(maxDeletedId, group.deliveredId);
    return isHole ? "hole" : "count";
  }
  return group.lag > length ? "count" : "known";
};

/**
 * Whether a reported lag differs from the entries after the last delivered one, as far as the first of them tell. It finds every
 * lag that is reported while nothing, or little, is unread; and what was added or read meanwhile, which the script sorts out.
 */
const isContradicted = async (redis: Redis, stream: string, deliveredId: string, lag: number): Promise<boolean> => {
  const undelivered = await redis.xrange(stream, `(${deliveredId}`, "+", "COUNT", PROBE);
  return undelivered.length !== Math.min(lag, PROBE);
};

/** What was done on a stream. */
export interface RestoredLag {
  /** Groups that read again from the start. */
  readonly rewound: readonly string[];
  /** Groups whose lag is right again. */
  readonly restored: readonly string[];
  /** Groups whose lag Redis cannot know. */
  readonly unknown: readonly string[];
  /** Groups that moved on faster than they were counted. */
  readonly uncounted: readonly string[];
}

/**
 * Sets the `lag` right of every group on a stream where it is nil or wrong. It counts all entries of a group only if the lag is
 * nil, cannot be right, or differs from the first `PROBE` entries; of every group if `all`, after a restart for example.
 *
 * Pending lists do not change, nor last-delivered ids, but for one: a group of `own` whose position lies beyond the end of the stream, such as after an XGROUP SETID
 * with a mistyped id, would be delivered nothing. It reads again from the start, as a new one does, and the ledger prevents duplicates.
 */
export const restoreLag = async (
  redis: Redis,
  stream: string,
  { all = false, own = new Set() }: { readonly all?: boolean; readonly own?: ReadonlySet<string> } = {},
): Promise<RestoredLag> => {
  const rewound: string[] = [];
  const restored: string[] = [];
  const unknown: string[] = [];
  const uncounted: string[] = [];
  const records = await groupsReader(redis)(stream);
  if (records.length === 0) return { rewound, restored, unknown, uncounted };
  const info = await infoOf(redis, stream);
  for (const record of records) {
    const name = String(record.get("name"));
    const group = { lag: numberOf(record, "lag"), deliveredId: String(record.get("last-delivered-id")) };
    const state = judgeLag(group, info);
    if (state === "beyond") {
      if (own.has(name) && (await runScript(redis, rewind, [stream], [name])) === 1) rewound.push(name);
      continue;
    }
    if (state === "hole") unknown.push(name);
    if (state === "hole" || state === "read") continue;
    if (state === "known" && !all && !(await isContradicted(redis, stream, group.deliveredId, group.lag ?? 0)))
      continue;
    let result: unknown = 0;
    for (let attempt = 0; attempt < MAX_TRIES && result === 0; attempt += 1) {
      const landmarks = await countAfter(redis, stream, group.deliveredId);
      result = await runScript(redis, script, [stream], [name, SLICE, ...landmarks]);
    }
    if (result === 0) uncounted.push(name);
    if (result === 1) restored.push(name);
    if (result === 3) unknown.push(name);
  }
  return { rewound, restored, unknown, uncounted };
};

/** Entries that are counted one by one at most, where Redis does not know the lag. */
export const COUNTED_AT_MOST = 10_000;

/** Counts the entries after an id one by one, up to `COUNTED_AT_MOST`. */
export const countUnread = async (redis: Redis, stream: string, deliveredId: string): Promise<number> => {
  const landmarks = await countAfter(redis, stream, deliveredId, COUNTED_AT_MOST);
  return Number(landmarks.at(-1));
};
