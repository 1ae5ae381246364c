import { pause } from "./loop.ts";

/** Since when each store has not answered; undefined: it answers. */
export interface StoreAnswers {
  readonly postgres: Date | undefined;
  readonly redis: Date | undefined;
}

/** How a process asks its stores for a sign of life; a rejection is none. */
export interface StorePings {
  readonly postgres: () => Promise<unknown>;
  readonly redis: () => Promise<unknown>;
}

const TIMEOUT_MS = 1_000;
/** For how long probes share one answer, however many supervisors ask. */
const CACHE_MS = 500;

/** A connection may be open to a store that hangs. */
const isAnswered = (ping: () => Promise<unknown>): Promise<boolean> =>
  Promise.race([
    ping().then(
      () => true,
      () => false,
    ),
    pause(TIMEOUT_MS).then(() => false),
  ]);

/** Asks both stores, each time that it is called, and remembers since when one does not answer within a second. Never rejects. */
export const createStoreAnswers = (pings: StorePings): (() => Promise<StoreAnswers>) => {
  let known: StoreAnswers = { postgres: undefined, redis: undefined };
  let askedAt = Number.NEGATIVE_INFINITY;
  let answers: Promise<StoreAnswers> = Promise.resolve(known);

  const ask = async (): Promise<StoreAnswers> => {
    const [postgres, redis] = await Promise.all([isAnswered(pings.postgres), isAnswered(pings.redis)]);
    known = {
      postgres: postgres ? undefined : (known.postgres ?? new Date()),
      redis: redis ? undefined : (known.redis ?? new Date()),
    };
    return known;
  };

  return () => {
    if (performance.now() - askedAt >= CACHE_MS) {
      askedAt = performance.now();
      answers = ask();
    }
    return answers;
  };
};
