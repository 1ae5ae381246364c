import type { Redis } from "ioredis";
import type { Fields } from "./events/envelope.ts";

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
  /** Claimed from another consumer. */
  readonly isTakenOver: boolean;
  /** Consumers that died while its work, and nothing else, was under way in them. Known of suspects only. */
  readonly deathsAlone: number;
}

/** A consumer that entries of a stream are pending for. */
export interface HeldBy {
  readonly stream: string;
  readonly group: string;
  readonly consumer: string;
}

/** One of them. */
export interface HeldEntry extends HeldBy {
  readonly entryId: string;
}

/** Fields by name. Of a name that occurs twice the last value wins. */
export const fieldsOf = (raw: readonly string[]): Fields => {
  const fields: Record<string, string> = {};
  for (let index = 0; index + 1 < raw.length; index += 2) fields[raw[index] ?? ""] = raw[index + 1] ?? "";
  return fields;
};

/** One of them. An entry is asked for several that most do not have, one after the other. */
export const fieldOf = (raw: readonly string[] | undefined, name: string): string | undefined => {
  let value: string | undefined;
  if (raw !== undefined)
    for (let index = 0; index + 1 < raw.length; index += 2) if (raw[index] === name) value = raw[index + 1];
  return value;
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
  const carried = Number(fieldOf(raw, CRASHES) ?? 0);
  return Number.isInteger(carried) && carried > 0 ? carried : 0;
};

/** What Redis has counted of an entry's deliveries, or is to count: without those that the entry carries. */
export const countedOf = ({ deliveries, raw }: Pick<Entry, "deliveries" | "raw">): number =>
  deliveries - crashesOf(raw);

const toEntry = (stream: string, pair: unknown): Entry[] => {
  if (!Array.isArray(pair) || typeof pair[0] !== "string") return [];
  const [id, fields]: unknown[] = pair;
  const raw = Array.isArray(fields) ? fields.map(String) : undefined;
  return [{ stream, id: String(id), raw, deliveries: 1 + crashesOf(raw), isTakenOver: false, deathsAlone: 0 }];
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

/** Entries after an id, at most `count`, without taking them (XRANGE). */
export const readAfter = async (redis: Redis, stream: string, id: string, count: number): Promise<Entry[]> => {
  const reply: unknown[] = await redis.xrange(stream, `(${id}`, "+", "COUNT", count);
  return reply.flatMap((pair) => toEntry(stream, pair));
};

const withDeliveries = async (redis: Redis, group: string, entry: Entry): Promise<Entry> => {
  const pending: unknown = await redis.xpending(entry.stream, group, entry.id, entry.id, 1);
  const first: unknown = Array.isArray(pending) ? pending[0] : undefined;
  const counted = Array.isArray(first) ? Number(first[3]) : 1;
  return { ...entry, deliveries: counted + crashesOf(entry.raw), isTakenOver: true };
};

/** Claims those of these entries that were not renewed for `minIdleMs` (XCLAIM). */
export const claimThese = async (
  redis: Redis,
  args: { readonly group: string; readonly consumer: string; readonly stream: string; readonly minIdleMs: number },
  ids: readonly string[],
): Promise<Entry[]> => {
  if (ids.length === 0) return [];
  const { group, consumer, stream, minIdleMs } = args;
  const reply: unknown = await redis.xclaim(stream, group, consumer, Math.ceil(minIdleMs), ...ids);
  const entries = Array.isArray(reply) ? reply.flatMap((pair) => toEntry(stream, pair)) : [];
  return Promise.all(entries.map((entry) => withDeliveries(redis, group, entry)));
};

/** Leaves an entry of this consumer to whoever claims it: its idle time is set to `idleMs`; no delivery is counted. */
export const setAside = async (
  redis: Redis,
  args: { readonly group: string; readonly consumer: string; readonly idleMs: number },
  { stream, id }: Entry,
): Promise<void> => {
  await redis.xclaim(stream, args.group, args.consumer, 0, id, "IDLE", Math.ceil(args.idleMs), "JUSTID");
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

/** XACK, whichever consumers own the entries. Returns how many were pending. */
export const acknowledge = (
  redis: Redis,
  stream: string,
  group: string,
  entryIds: readonly string[],
): Promise<number> => redis.xack(stream, group, ...entryIds);
