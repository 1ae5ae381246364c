/** What is known when a hand comes free, or a piece of work ends. */
interface Gathering {
  /** More work waits in the stream than there were hands for. */
  readonly isBehind: boolean;
  /** Hands that are free. */
  readonly room: number;
  readonly concurrency: number;
  /** How many of the pieces in flight only wait for the other system: while no more hands are free, it idles nowhere. */
  readonly ahead: number;
  /** How long a piece has taken lately, in ms. */
  readonly pieceMs: number;
}

/** A batch as large costs little less for each of its rows than a larger one. */
const MOST_AT_ONCE = 64;

/** How many free hands are worth a read and a claim of their own while work waits. Pure. */
const enoughHands = ({ concurrency, ahead }: Pick<Gathering, "concurrency" | "ahead">): number =>
  Math.min(MOST_AT_ONCE, Math.max(1, Math.floor(ahead > 0 ? ahead / 3 : concurrency / 4)));

/**
 * How long free hands wait for others, so that they claim together, in ms. Pure.
 *
 * | behind | room | concurrency | ahead | piece  | wait   | because                                                     |
 * | ------ | ---- | ----------- | ----- | ------ | ------ | ----------------------------------------------------------- |
 * | no     | 1    | 30          | 10    | 50 ms  | 0      | what comes next is claimed at once                          |
 * | yes    | 3    | 30          | 10    | 50 ms  | 0      | they are enough                                             |
 * | yes    | 1    | 30          | 10    | 20 ms  | 10 ms  | the other system has work: half of a piece's time           |
 * | yes    | 1    | 30          | 10    | 500 ms | 25 ms  | the most                                                    |
 * | yes    | 1    | 30          | 0     | 50 ms  | 5 ms   | hands idle meanwhile: a tenth of a piece's time             |
 * | yes    | 1    | 30          | 0     | 500 ms | 10 ms  | the most                                                    |
 */
export const handsWaitMs = (gathering: Gathering): number => {
  const { isBehind, room, ahead, pieceMs } = gathering;
  if (!isBehind || room >= enoughHands(gathering)) return 0;
  return ahead > 0 ? Math.min(25, pieceMs / 2) : Math.min(10, pieceMs / 10);
};

/**
 * How long an outcome waits for others, so that they are recorded together, in ms. Pure. What is recorded together frees its hands
 * together, so they claim together, too: that much of what is in flight waits in neither, and must not exceed what is ahead. What a
 * consumer that dies leaves in doubt grows by what was done in that time, at most a quarter of what it has in flight.
 *
 * | behind | ahead | piece  | wait   | because                                                            |
 * | ------ | ----- | ------ | ------ | ------------------------------------------------------------------ |
 * | no     | 20    | 100 ms | 0      | nothing waits at low load                                          |
 * | yes    | 20    | 40 ms  | 10 ms  | the other system has work meanwhile: a quarter of a piece's time   |
 * | yes    | 20    | 5 s    | 25 ms  | the most                                                           |
 * | yes    | 0     | 50 ms  | 5 ms   | hands idle meanwhile: a tenth of a piece's time                    |
 * | yes    | 0     | 5 s    | 10 ms  | the most                                                           |
 */
export const outcomeWaitMs = ({
  isBehind,
  ahead,
  pieceMs,
}: Pick<Gathering, "isBehind" | "ahead" | "pieceMs">): number =>
  isBehind ? (ahead > 0 ? Math.min(25, pieceMs / 4) : Math.min(10, pieceMs / 10)) : 0;

/** Gathers what comes one by one while a consumer is behind, so that stores are asked in batches. At low load nothing waits. */
export interface Gatherer {
  /** Whether the last read found as many entries as it asked for. */
  behind(isBehind: boolean): void;
  /** How long free hands wait for others, and for how many. */
  hands(room: number): { readonly waitMs: number; readonly enough: number };
  /** Resolves together with what else comes meanwhile; 64 outcomes wait for no more. */
  outcome(): Promise<void>;
  /** Runs a piece of work, and learns how long it takes. */
  timed(work: () => Promise<void>): Promise<void>;
}

/** Share of the newest piece in the time that a piece takes. */
const NEWEST = 0.05;

export const createGatherer = ({
  concurrency,
  ahead,
  now,
}: {
  readonly concurrency: number;
  readonly ahead: number;
  /** Monotonic, ms. */
  readonly now: () => number;
}): Gatherer => {
  let isBehind = false;
  let pieceMs = 0;
  let gathered: { readonly promise: Promise<void>; readonly end: () => void; size: number } | undefined;

  return {
    behind: (found) => {
      isBehind = found;
    },
    hands: (room) => {
      const known = { isBehind, room, concurrency, ahead, pieceMs };
      return { waitMs: handsWaitMs(known), enough: enoughHands(known) };
    },
    outcome: () => {
      if (gathered === undefined) {
        const waitMs = outcomeWaitMs({ isBehind, ahead, pieceMs });
        if (waitMs < 1) return Promise.resolve();
        const { promise, resolve } = Promise.withResolvers<void>();
        const end = () => {
          clearTimeout(timer);
          gathered = undefined;
          resolve();
        };
        const timer = setTimeout(end, waitMs);
        gathered = { promise, end, size: 0 };
      }
      gathered.size += 1;
      const { promise } = gathered;
      if (gathered.size >= MOST_AT_ONCE) gathered.end();
      return promise;
    },
    timed: async (work) => {
      const startedAt = now();
      await work();
      pieceMs += NEWEST * (now() - startedAt - pieceMs);
    },
  };
};
