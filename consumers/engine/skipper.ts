import type { Redis } from "ioredis";
import type { Logger } from "../../observability/logger.ts";
import { isMissingGroup, isRefusedReply } from "../../stream/connection.ts";
import { type Entry, readAfter } from "../../stream/entries.ts";
import { skipEntries } from "../../stream/scripts/skip.ts";

/** What is to be done about an entry: only an ack, because it is not the group's; nothing until its delay is over; or to read it. */
export type ToDo = "nothing" | "delay" | "read";

export interface SkipperDeps {
  readonly redis: Redis;
  /** The log, which all groups read. */
  readonly stream: string;
  readonly group: string;
  readonly retrySet: string;
  readonly toDo: (raw: readonly string[]) => ToDo;
  /** Of the group's entries, from when they were added to the log. */
  readonly delayMs: number;
  /** Monotonic, ms. */
  readonly now: () => number;
  readonly random: () => number;
  readonly log: Logger;
}

/**
 * Moves a group past what it has nothing to do about now. To read an entry, and to ack it, costs Redis three times what it costs to look at
 * it: each is written to the pending list and to the AOF, twice. So while a group finds nothing to work on, it looks first, and takes
 * nothing until it sees something. An entry is skipped only after a consumer has seen it, so a crash at any point loses nothing. One that
 * is delayed goes from the log to the retry set: the ledger, which knows when it is due, is asked once it is.
 */
export interface Skipper {
  /**
   * Moves the group, if that is worth it. Returns whether all of the log is read now. What Redis refuses is not skipped but read.
   *
   * @throws what leaves the connection in doubt
   */
  skip(): Promise<boolean>;
  /** What the group has read, of any stream. */
  saw(entries: readonly Entry[]): void;
  /** Whether an entry of the log is one to work on now. */
  isWork(entry: Entry): boolean;
}

/** Redis is blocked for a millisecond, at most. */
const SLICE = 200;
const MOST_SLICES = 50;
/** So many entries, and none to work on, are worth looking: a script costs Redis as much as to read and ack eight of them. */
const WORTHWHILE = 10;
/** A consumer that looks at what a peer skips leaves it to that peer, for so long. */
const REST_MS = 1_000;
/** After Redis has refused it: it does so until it has the rights of this version. */
const REFUSED_REST_MS = 60_000;

export const createSkipper = (deps: SkipperDeps): Skipper => {
  const { redis, stream, group, retrySet, toDo, delayMs, now, random, log } = deps;
  const names = { stream, group, retrySet };
  let isWorthwhile = false;
  let restsUntil = Number.NEGATIVE_INFINITY;
  let upTo: string | undefined;

  const judged = ({ raw }: Entry): ToDo => (raw === undefined ? "read" : toDo(raw));
  const isWork = (entry: Entry): boolean => judged(entry) === "read";

  /** Returns whether there may be more of them. */
  const skipSlice = async (): Promise<"more" | "end" | "stop"> => {
    const after = upTo ?? (await skipEntries(redis, names)).upTo;
    upTo = after;
    const found = await readAfter(redis, stream, after, SLICE);
    const all = found.map((entry) => ({ ...entry, what: judged(entry) }));
    const end = all.findIndex(({ what }) => what === "read");
    const skippable = end < 0 ? all : all.slice(0, end);
    const lastId = skippable.at(-1)?.id;
    if (lastId === undefined || skippable.length < WORTHWHILE) {
      isWorthwhile = false;
      return found.length === 0 ? "end" : "stop";
    }
    const delayed = skippable.flatMap(({ id, raw = [], what }) => (what === "delay" ? [{ id, fields: raw }] : []));
    const skipped = await skipEntries(redis, names, { after, lastId, count: skippable.length, delayed, delayMs });
    upTo = skipped.upTo;
    if (!skipped.isMoved) {
      restsUntil = now() + REST_MS * (0.5 + random());
      return "stop";
    }
    if (end >= 0) return "stop";
    return found.length < SLICE ? "end" : "more";
  };

  return {
    async skip() {
      if (!isWorthwhile || now() < restsUntil) return false;
      try {
        for (let slice = 0; slice < MOST_SLICES; slice += 1) {
          const next = await skipSlice();
          if (next !== "more") return next === "end";
        }
      } catch (error) {
        if (!isRefusedReply(error)) throw error;
        isWorthwhile = false;
        upTo = undefined;
        if (isMissingGroup(error)) return false;
        restsUntil = now() + REFUSED_REST_MS;
        log.warn(
          { error },
          "Redis does not let the group pass over what it has nothing to do about; reading it instead",
        );
      }
      return false;
    },
    isWork,
    saw(entries) {
      const read = entries.filter((entry) => entry.stream === stream);
      if (read.length === 0) return;
      upTo = undefined;
      if (read.some(isWork)) isWorthwhile = false;
      else if (read.length >= WORTHWHILE) isWorthwhile = true;
    },
  };
};
