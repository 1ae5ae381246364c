import type { Redis } from "ioredis";
import type { Fields } from "./event.ts";
import type { HeldEntry } from "./scripts/retry.ts";

/** An entry as it was read from a stream. */
export interface Entry {
  readonly stream: string;
  /** `<ms>-<seq>` */
  readonly id: string;
  /** Fields and values in their order; undefined when somebody trimmed the payload of a pending entry. */
  readonly raw: readonly string[] | undefined;
}

/** Fields by name. The last value wins where a name stands twice. */
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

const toEntry = (stream: string, pair: unknown): Entry[] => {
  if (!Array.isArray(pair) || typeof pair[0] !== "string") return [];
  const [id, raw]: unknown[] = pair;
  return [{ stream, id: String(id), raw: Array.isArray(raw) ? raw.map(String) : undefined }];
};

/** Reads the reply of XREADGROUP: `[[stream, [[id, [field, value, ...]], ...]], ...]`, or null when there was nothing. */
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
  /** Ids that were pending and whose payload somebody trimmed. Redis has dropped them from the pending list. */
  readonly trimmed: readonly string[];
}

/** XAUTOCLAIM looks at no more than ten times COUNT per call, so it is called until its cursor is back at the start. */
const MAX_SCANS = 100;

/** Takes over entries that their owner has not renewed for `minIdleMs`, at most `count`. */
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
  return { entries, trimmed };
};

/** The ids that are pending for one consumer, at most `count`. */
export const pendingOf = async (
  redis: Redis,
  args: { readonly group: string; readonly consumer: string; readonly stream: string; readonly count: number },
): Promise<string[]> => {
  const reply: unknown = await redis.xpending(args.stream, args.group, "-", "+", args.count, args.consumer);
  if (!Array.isArray(reply)) return [];
  return reply.flatMap((item: unknown) => (Array.isArray(item) ? [String(item[0])] : []));
};

/** XACK: the entry is done with, whoever owns it. Returns whether it was pending. */
export const acknowledge = async (redis: Redis, stream: string, group: string, entryId: string): Promise<boolean> =>
  (await redis.xack(stream, group, entryId)) === 1;
