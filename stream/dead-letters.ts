import type { Redis } from "ioredis";
import { fieldsOf } from "./entries.ts";
import type { Keys } from "./keys.ts";
import { entryTimeMs } from "./watermark.ts";

/** A dead letter in a group's dead stream. */
export interface StoredLetter {
  /** Id in the dead stream: identifies a letter without an event id. */
  readonly letterId: string;
  /** As the entry had it, not necessarily a UUID; '' when it had none. */
  readonly eventId: string;
  readonly reason: string;
  /** Reply or error of the last attempt, addresses removed. */
  readonly detail: string;
  readonly attempts: number;
  /** Whether the ledger has its delivery. An entry that could not be read may carry the id of another event. */
  readonly isInLedger: boolean;
  /** ISO 8601 */
  readonly firstFailureAt: string;
  readonly lastFailureAt: string;
  readonly consumer: string;
  /** Stream and id that the entry was read from. */
  readonly stream: string;
  readonly entryId: string;
  /** The raw fields and values of the entry; empty if its payload was trimmed or the letter was written by hand. */
  readonly fields: readonly string[];
}

/** Reasons of entries that could not be read: unless the letter says so, the ledger has no delivery of it. */
const UNREAD_REASONS: ReadonlySet<string> = new Set(["malformed", "unknown_version"]);

const rawFields = (text: string | undefined): readonly string[] => {
  try {
    const parsed: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(parsed) ? parsed.map(String) : [];
  } catch {
    return [];
  }
};

const toLetter = ([letterId, raw]: [string, string[]]): StoredLetter => {
  const fields = fieldsOf(raw);
  const { reason = "", in_ledger: inLedger } = fields;
  return {
    letterId,
    eventId: fields["event_id"] ?? "",
    reason,
    detail: fields["detail"] ?? "",
    attempts: Number(fields["attempts"]) || 0,
    isInLedger: inLedger === undefined ? !UNREAD_REASONS.has(reason) : inLedger === "1",
    firstFailureAt: fields["first_failure_at"] ?? "",
    lastFailureAt: fields["last_failure_at"] ?? "",
    consumer: fields["consumer"] ?? "",
    stream: fields["stream"] ?? "",
    entryId: fields["entry_id"] ?? "",
    fields: rawFields(fields["fields"]),
  };
};

/** When a letter was written, ISO 8601, and why. */
export interface LatestLetter {
  readonly at: string;
  readonly reason: string;
}

/** The letter of a group that was written last (XREVRANGE); null: there is none. */
export const readLatestLetter = async (redis: Redis, keys: Keys, group: string): Promise<LatestLetter | null> => {
  const [last] = (await redis.xrevrange(keys.dead(group), "+", "-", "COUNT", 1)).map(toLetter);
  return last === undefined ? null : { at: new Date(entryTimeMs(last.letterId)).toISOString(), reason: last.reason };
};

/** How many letters a group has (XLEN). */
export const countLetters = (redis: Redis, keys: Keys, group: string): Promise<number> => redis.xlen(keys.dead(group));

/** A part of a group's letters. Bounds are ids of letters, which begin with the ms at which the letter was written. */
export interface LetterRange {
  /** The oldest: an id, `(id` for what is after it, `-` for the first. */
  readonly from?: string | undefined;
  /** The newest, likewise; `+` for the last. */
  readonly to?: string | undefined;
  readonly newestFirst?: boolean | undefined;
}

/**
 * A group's letters in pages of `pageSize` (XRANGE, XREVRANGE), so that memory is bounded. Ends at the letter that was the last
 * at the start: letters that are added meanwhile are not visited.
 */
export async function* letterPages(
  redis: Redis,
  keys: Keys,
  group: string,
  pageSize: number,
  { from = "-", to = "+", newestFirst = false }: LetterRange = {},
): AsyncGenerator<readonly StoredLetter[]> {
  const stream = keys.dead(group);
  const [last] = await redis.xrevrange(stream, to, from, "COUNT", 1);
  if (last === undefined) return;
  let [oldest, newest] = [from, last[0]];
  for (;;) {
    const page = newestFirst
      ? await redis.xrevrange(stream, newest, oldest, "COUNT", pageSize)
      : await redis.xrange(stream, oldest, newest, "COUNT", pageSize);
    if (page.length > 0) yield page.map(toLetter);
    const end = page.at(-1);
    if (end === undefined || page.length < pageSize) return;
    if (newestFirst) newest = `(${end[0]}`;
    else oldest = `(${end[0]}`;
  }
}

const LETTER_ID = /^\d+-\d+$/;
const SEARCH_PAGE = 500;

/**
 * Letters by letter id or by event id. The index has the letters of events in the ledger; letters of unreadable entries are
 * found by a scan, and there may be several of one event id.
 */
export const findLetters = async (
  redis: Redis,
  keys: Keys,
  group: string,
  id: string,
): Promise<readonly StoredLetter[]> => {
  const stream = keys.dead(group);
  if (LETTER_ID.test(id)) return (await redis.xrange(stream, id, id)).map(toLetter);
  const indexed = await redis.hget(keys.deadIndex(group), id);
  if (indexed !== null) {
    const found = (await redis.xrange(stream, indexed, indexed)).map(toLetter);
    if (found.length > 0) return found;
  }
  const found: StoredLetter[] = [];
  for await (const page of letterPages(redis, keys, group, SEARCH_PAGE)) {
    found.push(...page.filter((letter) => letter.eventId !== "" && letter.eventId.toLowerCase() === id.toLowerCase()));
  }
  return found;
};

/** The id of an event's letter in the index (HGET). */
export const indexedLetter = async (
  redis: Redis,
  keys: Keys,
  group: string,
  eventId: string,
): Promise<string | undefined> => (await redis.hget(keys.deadIndex(group), eventId)) ?? undefined;
