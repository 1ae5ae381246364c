import type { Redis } from "ioredis";
import type { Logger } from "../../observability/logger.ts";
import type { BlockingReader } from "../../stream/blocking-reader.ts";
import { type Entry, readNew } from "../../stream/entries.ts";
import type { Group } from "../../stream/groups.ts";
import type { Keys } from "../../stream/keys.ts";
import type { Breaker } from "./breaker.ts";
import type { Claimer } from "./claimer.ts";
import type { Gatherer } from "./gather.ts";
import type { LookAhead } from "./look-ahead.ts";
import type { Settler } from "./settler.ts";
import { behindAfter, sharesOf } from "./shares.ts";
import type { Skipper } from "./skipper.ts";

export interface StreamReadsDeps {
  readonly redis: Redis;
  readonly blocking: BlockingReader;
  readonly keys: Keys;
  readonly group: Group;
  readonly consumer: string;
  readonly claimer: Claimer;
  readonly breaker: Breaker;
  readonly lookAhead: Pick<LookAhead<unknown>, "kept" | "reads">;
  readonly settler: Settler;
  readonly gatherer: Gatherer;
  readonly skipper: Skipper;
  readonly log: Logger;
  /** How long entries are waited for. */
  readonly blockMs: number;
}

/**
 * How long new entries are waited for where those of dead consumers wait for room: so long that some in flight have ended, and several are
 * claimed at once.
 */
const CLAIM_CHECK_MS = 25;

/** How many entries a turn may take. */
export interface Room {
  readonly reads: number;
  /** Of dead consumers; beside the reads. */
  readonly claims: number;
}

/** Takes entries from both streams of a group, by their shares (`shares.ts`), and those of dead consumers. */
export const createStreamReads = (
  deps: StreamReadsDeps,
  { concurrency }: { /** Maximum entries in flight that were read. */ readonly concurrency: number },
) => {
  const { redis, blocking, keys, group, consumer, claimer, breaker, lookAhead } = deps;
  const { settler, gatherer, skipper, log, blockMs } = deps;
  const retriesStream = keys.retriesStream(group.name);
  const isDelayed = (group.delayMs ?? 0) > 0;
  /** By how many entries new ones are behind their half. */
  let behind = 0;

  const readStream = (stream: string, count: number): Promise<Entry[]> =>
    count > 0 ? readNew(redis, { group: group.name, consumer, stream, count }) : Promise.resolve([]);

  /** New entries beyond those that are not the group's, if there are many. */
  const readEvents = async (count: number): Promise<Entry[]> => {
    if (count <= 0 || (await skipper.skip())) return [];
    const entries = await readStream(keys.events, count);
    skipper.saw(entries);
    return entries;
  };

  /**
   * What is there, without waiting, so much that at most `most` of it may be attempted. What was taken before an error is not lost by
   * it.
   */
  const readWhatIsThere = async (most: number, room: Room): Promise<readonly Entry[]> => {
    const entries: Entry[] = [];
    const left = () => most - entries.length;
    const take = async (reading: Promise<Entry[]>): Promise<number> => {
      const found = await reading;
      entries.push(...found);
      return found.length;
    };
    const claim = () => take(claimer.claimDue(Math.max(0, Math.min(left(), room.claims))));
    const isClosed = breaker.state === "closed";
    try {
      const claimed = isClosed ? await claim() : 0;
      const mayRead = Math.max(0, Math.min(left(), room.reads));
      // A few probes are no choice: what would be read beyond them goes back at once.
      const isChoosing = isClosed || breaker.isDeclining;
      const reads = isChoosing ? lookAhead.reads(mayRead) : Math.max(0, mayRead - lookAhead.kept());
      // A probe is something new, if there is anything: what has failed would fail again. But what is new is not due where the group has a delay.
      const ofProbes = isDelayed ? { retries: reads, events: 0 } : { retries: 0, events: reads };
      const shares = isClosed ? sharesOf(Math.min(reads, mayRead), behind) : ofProbes;
      const isLookingAhead = reads > mayRead;
      // What is read beyond what may be attempted is looked for where most is welcome, and due: what came back was in doubt.
      const askedRetries = isDelayed ? reads - shares.events : shares.retries;
      const retries = await take(readStream(retriesStream, askedRetries));
      const events = await take(readEvents(reads - retries));
      // What is not the group's takes the place of no probe.
      const used = isClosed ? events : entries.slice(entries.length - events).filter(skipper.isWork).length;
      const unused = reads - retries - used;
      // What new entries did not use, unless the retries have not used up their share.
      const mayHaveRetries = retries === askedRetries;
      const more = mayHaveRetries ? await take(readStream(retriesStream, unused)) : 0;
      // Nobody is owed for what was only looked at.
      const counted = {
        retries: isLookingAhead ? Math.min(shares.retries, retries + more) : retries + more,
        events: isLookingAhead ? Math.min(shares.events, events) : events,
      };
      const taken = { claimed, ...counted, mayHaveRetries, mayHaveEvents: events === reads - retries };
      behind = behindAfter(behind, taken, concurrency);
      gatherer.behind(lookAhead.kept() > 0 || (reads > 0 && retries + more + events >= reads));
      if (!isClosed) await claim();
    } catch (error) {
      if (entries.length === 0) throw error;
      log.warn({ error }, "reading failed in part; delivering what was read");
    }
    return entries;
  };

  /** What there is no room for comes back at once; the ledger notes it, else it would look lost. */
  const releaseBeyond = (count: number, entries: readonly Entry[], signal: AbortSignal): readonly Entry[] => {
    const surplus = entries.slice(count).map((entry) => ({ entry, delayMs: 0 }));
    if (surplus.length > 0) void settler.passOver(surplus, { signal, progress: () => {} }).catch(() => {});
    return entries.slice(0, count);
  };

  const waitForEntries = async (room: number, signal: AbortSignal): Promise<readonly Entry[]> => {
    // COUNT is per stream. With room for one, both streams may return one: the second is released.
    const count = Math.max(1, Math.floor(room / 2));
    // There was no room for what is due, else it would have been looked for.
    const waitMs = claimer.isDue() ? Math.min(CLAIM_CHECK_MS, blockMs) : blockMs;
    const entries = await blocking.read([retriesStream, keys.events], count, waitMs, signal);
    skipper.saw(entries);
    return releaseBeyond(room, entries, signal);
  };

  return { readWhatIsThere, waitForEntries, releaseBeyond };
};
