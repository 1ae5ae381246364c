import { pause } from "./loop.ts";

/** A store that has not answered. */
export interface StoreAway {
  readonly since: Date;
  /** SQLSTATE, or Redis' code, by which it refuses whoever connects; undefined: it says nothing. */
  readonly refusal?: string | undefined;
}

/** What each store has; undefined: it answers. */
export interface StoreAnswers {
  readonly postgres: StoreAway | undefined;
  readonly redis: StoreAway | undefined;
}

/** How a process asks its stores for a sign of life; a rejection is none. */
export interface StorePings {
  readonly postgres: () => Promise<unknown>;
  readonly redis: () => Promise<unknown>;
}

const TIMEOUT_MS = 1_000;
/** For how long probes share one answer, however many supervisors ask. */
const CACHE_MS = 500;

/**
 * The login, the database, one connection too many, while it starts, commits that do not end: https://www.postgresql.org/docs/current/errcodes-appendix.html;
 * of Redis the login, and writes
 */
const REFUSES =
  /^(28...|3D000|53300|57P03|42704|58030|WRONGPASS|NOAUTH|OOM|READONLY|LOADING|MASTERDOWN|NOREPLICAS|MISCONF|CLUSTERDOWN|MOVED|ASK|TRYAGAIN)$/;

/** `since`: if the error knows better than who asks. */
const refusalIn = (error: unknown): Partial<StoreAway> => {
  if (!(error instanceof Error)) return {};
  const code = "code" in error ? String(error.code) : "";
  const since = "since" in error && error.since instanceof Date ? { since: error.since } : {};
  return REFUSES.test(code) ? { refusal: code, ...since } : {};
};

/** A connection may be open to a store that hangs. */
const lookAt = (ping: () => Promise<unknown>, before: StoreAway | undefined): Promise<StoreAway | undefined> =>
  Promise.race([ping().then(() => undefined, refusalIn), pause(TIMEOUT_MS).then((): Partial<StoreAway> => ({}))]).then(
    (away) => away && { since: before?.since ?? new Date(), ...away },
  );

/** Asks both stores, each time that it is called, and remembers since when one does not answer within a second. Never rejects. */
export const createStoreAnswers = (pings: StorePings): (() => Promise<StoreAnswers>) => {
  let known: StoreAnswers = { postgres: undefined, redis: undefined };
  let askedAt = Number.NEGATIVE_INFINITY;
  let answers: Promise<StoreAnswers> = Promise.resolve(known);

  const ask = async (): Promise<StoreAnswers> => {
    const [postgres, redis] = await Promise.all([
      lookAt(pings.postgres, known.postgres),
      lookAt(pings.redis, known.redis),
    ]);
    known = { postgres, redis };
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
