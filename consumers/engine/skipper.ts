import type { Redis } from "ioredis";
import type { Logger } from "../../observability/logger.ts";
import { isMissingGroup, isRefusedReply } from "../../stream/connection.ts";
import { type Entry, readAfter } from "../../stream/entries.ts";
import { type ReadUpTo, skipEntries } from "../../stream/scripts/skip.ts";

export interface SkipperDeps {
  readonly redis: Redis;
  /** The log, which all groups read. */
  readonly stream: string;
  readonly group: string;
  /** Whether an entry is one that the group would only ack. */
  readonly isForeign: (raw: readonly string[]) => boolean;
  /** Monotonic, ms. */
  readonly now: () => number;
  readonly random: () => number;
  readonly log: Logger;
}

/**
 * Moves a group past what it does not bind to. To read an entry, and to ack it, costs Redis three times what it costs to look at it: each
 * is written to the pending list and to the AOF, twice. So while a group finds nothing for itself, it looks first, and takes nothing
 * until it sees something. An entry is skipped only after a consumer has seen it, so a crash at any point loses nothing.
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
}

/** Redis is blocked for half a millisecond. */
const SLICE = 500;
const MOST_SLICES = 20;
/** So many entries in one read, and none for the group, make looking worth a command more. */
const WORTHWHILE = 8;
/** A consumer that looks at what a peer skips leaves it to that peer, for so long. */
const REST_MS = 1_000;
/** After Redis has refused it: it does so until it has the rights of this version. */
const REFUSED_REST_MS = 60_000;

export const createSkipper = ({ redis, stream, group, isForeign, now, random, log }: SkipperDeps): Skipper => {
  let isWorthwhile = false;
  let restsUntil = Number.NEGATIVE_INFINITY;
  let upTo: ReadUpTo | undefined;

  /** Returns whether there may be more of them. */
  const skipSlice = async (): Promise<"more" | "end" | "stop"> => {
    const after = upTo ?? (await skipEntries(redis, { stream, group })).upTo;
    upTo = after;
    const found = await readAfter(redis, stream, after.id, SLICE);
    const end = found.findIndex(({ raw }) => raw === undefined || !isForeign(raw));
    const foreign = end < 0 ? found : found.slice(0, end);
    const lastId = foreign.at(-1)?.id;
    if (lastId === undefined) {
      isWorthwhile = false;
      return end < 0 ? "end" : "stop";
    }
    const skipped = await skipEntries(redis, { stream, group }, { after, lastId, count: foreign.length });
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
        if (isMissingGroup(error)) return false;
        restsUntil = now() + REFUSED_REST_MS;
        log.warn({ error }, "Redis does not let the group pass over what is not its own; reading it instead");
      }
      return false;
    },
    saw(entries) {
      const read = entries.filter((entry) => entry.stream === stream);
      if (read.length === 0) return;
      upTo = undefined;
      const isForeignAll = read.every(({ raw }) => raw !== undefined && isForeign(raw));
      if (!isForeignAll) isWorthwhile = false;
      else if (read.length >= WORTHWHILE) isWorthwhile = true;
    },
  };
};
