import type { Redis } from "ioredis";
import type { Fields } from "./events/envelope.ts";
import type { HeldEntry } from "./scripts/delay.ts";

/** An entry read from a stream. */
export interface Entry {
  readonly stream: string;
  /** `<ms>-<seq>` */
  readonly id: string;
  /** Fields and values in order; undefined when the payload of a pending entry was trimmed. */
  readonly raw: readonly string[] | undefined;
  /**
   * Deliveries without an outcome so far, this one included: Redis' counter, and the count that the entry carries from
   * before it was released or delayed. Any outcome resets it.
   */
  readonly deliveries: number;
}

/** Fields by name. Of a name that occurs twice the last value wins. */
export const fieldsOf = (raw: readonly string[]): Fields => {
  const fields: Record<string, string> = {};
  for (let index = 0; index + 1 < raw.length; index += 2) fields[raw[index] ?? ""] = raw[index + 1] ?? "";
  return fields;
};

export const heldEntry = (entry: Entry, group: string, consumer: string): HeldEntry => ({
  stream: entry.stream,
  group,
  consumer,
  entryId: entry.id,
});

/** The field that carries the number of deliveries that ended with a consumer's death. */
export const CRASHES = "crashes";

const crashesOf = (raw: readonly string[] | undefined): number => {
  const carried = Number(fieldsOf(raw ?? [])[CRASHES] ?? 0);
  return Number.isInteger(carried) && carried > 0 ? carried : 0;
};

const toEntry = (stream: string, pair: unknown): Entry[] => {
  if (!Array.isArray(pair) || typeof pair[0] !== "string") return [];
  const [id, fields]: unknown[] = pair;
  const raw = Array.isArray(fields) ? fields.map(String) : undefined;
  return [{ stream, id: String(id), raw, deliveries: 1 + crashesOf(raw) }];
};

/** Reads the reply of XREADGROUP: `[[stream, [[id, [field, value, ...]], ...]], ...]`, or null when there was no entry. */
export const entriesOfRead = (reply: unknown): Entry[] => {
  if (!Array.isArray(reply)) return [];
  return reply.flatMap((item: unknown) => {
    if (!Array.isArray(item)) return [];
    const [stream, pairs]: unknown[] = item;
    return Array.isArray(pairs) ? pairs.flatMap((pair) => toEntry(String(stream), pair)) : [];
  });
};

/** XREADGROUP without waiting: at most `count` new entries of one stream. */
export const readNew = async (
  redis: Redis,
  args: { readonly group: string; readonly consumer: string; readonly stream: string; readonly count: number },
): Promise<Entry[]> =>
  entriesOfRead(
    await redis.xreadgroup("GROUP", args.group, args.consumer, "COUNT", args.count, "STREAMS", args.stream, ">"),
  );

export interface ClaimedEntries {
  readonly entries: readonly Entry[];
  /** Ids of pending entries whose payload was trimmed. Redis has removed them from the pending list. */
  readonly trimmed: readonly string[];
}

/** XAUTOCLAIM scans at most ten times COUNT per call, so it is called until its cursor is 0-0. */
const MAX_SCANS = 1_000;

const withDeliveries = async (redis: Redis, group: string, entry: Entry): Promise<Entry> => {
  const pending: unknown = await redis.xpending(entry.stream, group, entry.id, entry.id, 1);
  const first: unknown = Array.isArray(pending) ? pending[0] : undefined;
  const counted = Array.isArray(first) ? Number(first[3]) : 1;
  return { ...entry, deliveries: counted + crashesOf(entry.raw) };
};

/** Claims entries that their owner has not renewed for `minIdleMs`, at most `count`. */
export const claimIdle = async (
  redis: Redis,
  args: {
    readonly group: string;
    readonly consumer: string;
    readonly stream: string;
    readonly minIdleMs: number;
    readonly count: number;
  },
): Promise<ClaimedEntries> => {
  const entries: Entry[] = [];
  const trimmed: string[] = [];
  let cursor = "0-0";
  for (let scan = 0; scan < MAX_SCANS && entries.length < args.count; scan += 1) {
    const room = args.count - entries.length;
    const reply: unknown[] = await redis.xautoclaim(
      args.stream,
      args.group,
      args.consumer,
      args.minIdleMs,
      cursor,
      "COUNT",
      room,
    );
    const [next, pairs, deleted] = reply;
    if (Array.isArray(pairs)) entries.push(...pairs.flatMap((pair) => toEntry(args.stream, pair)));
    if (Array.isArray(deleted)) trimmed.push(...deleted.map(String));
    cursor = String(next);
    if (cursor === "0-0") break;
  }
  return { entries: await Promise.all(entries.map((entry) => withDeliveries(redis, args.group, entry))), trimmed };
};

/** Undoes a claim: the delivery is not counted, and the idle time is set to `idleMs`. */
export const unclaim = async (
  redis: Redis,
  args: { readonly group: string; readonly consumer: string; readonly idleMs: number },
  entry: Entry,
): Promise<void> => {
  const counted = entry.deliveries - crashesOf(entry.raw);
  const { group, consumer, idleMs } = args;
  await redis.xclaim(entry.stream, group, consumer, 0, entry.id, "IDLE", idleMs, "RETRYCOUNT", counted - 1, "JUSTID");
};

/** Ids pending for one consumer, at most `count`. */
export const pendingOf = async (
  redis: Redis,
  args: { readonly group: string; readonly consumer: string; readonly stream: string; readonly count: number },
): Promise<string[]> => {
  const reply: unknown = await redis.xpending(args.stream, args.group, "-", "+", args.count, args.consumer);
  if (!Array.isArray(reply)) return [];
  return reply.flatMap((item: unknown) => (Array.isArray(item) ? [String(item[0])] : []));
};

/** XACK, whichever consumer owns the entry. Returns whether it was pending. */
export const acknowledge = async (redis: Redis, stream: string, group: string, entryId: string): Promise<boolean> =>
  (await redis.xack(stream, group, entryId)) === 1;
