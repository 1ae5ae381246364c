import type { Redis } from "ioredis";
import { type Database, pingDatabase } from "../../database/connection.ts";
import { pause } from "../../runtime/loop.ts";
import { untilReady } from "../../stream/connection.ts";
import { redisTimeMs } from "../../stream/watermark.ts";

/** A store that a command needs. */
export type Store = "database" | "redis";

/** A store does not answer. Exit 1. */
export class StoreAway extends Error {
  override readonly name = "StoreAway";
}

/** A store that does not answer within this time counts as away, in ms. */
export const ANSWER_WITHIN_MS = 4_000;
const ASK_EVERY_MS = 1_000;

const reasonOf = (error: unknown): string => {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join(", ");
  return error instanceof Error ? error.message || error.name : String(error);
};

const LABEL: Readonly<Record<Store, string>> = { database: "Postgres", redis: "Redis" };
const VARIABLE: Readonly<Record<Store, string>> = { database: "DATABASE_URL", redis: "REDIS_URL" };

/**
 * The answer, within the time limit.
 *
 * @throws {StoreAway} naming the store and the setting of its address
 */
export const answerWithin = async <T>(store: Store, answer: Promise<T>, limitMs = ANSWER_WITHIN_MS): Promise<T> => {
  const done = new AbortController();
  const late = pause(limitMs, done.signal).then((): never => {
    throw new StoreAway(`${LABEL[store]} is away: no answer within ${limitMs / 1_000} s. Check ${VARIABLE[store]}.`);
  });
  // Nobody awaits the one that loses the race.
  late.catch(() => {});
  answer.catch(() => {});
  try {
    return await Promise.race([answer, late]);
  } catch (error) {
    if (error instanceof StoreAway) throw error;
    throw new StoreAway(`${LABEL[store]} is away: ${reasonOf(error)}. Check ${VARIABLE[store]}.`, { cause: error });
  } finally {
    done.abort();
  }
};

export interface Stores {
  readonly db: Database;
  readonly redis: Redis;
}

const ask = async ({ db, redis }: Stores, store: Store, limitMs: number): Promise<void> => {
  if (store === "database") return answerWithin(store, pingDatabase(db), limitMs);
  // A wrong certificate or password, for example, which each attempt to connect meets again.
  let fault = "";
  const note = (error: Error) => {
    fault = ` (${error.message})`;
  };
  redis.on("error", note);
  const isReady = await untilReady(redis, limitMs);
  redis.off("error", note);
  if (!isReady)
    throw new StoreAway(`Redis is away: no connection within ${limitMs / 1_000} s${fault}. Check REDIS_URL.`);
  await answerWithin(store, redisTimeMs(redis), limitMs);
};

/**
 * Resolves once every store has answered; asks them all at once.
 *
 * @throws {StoreAway} with one line for each store that is away
 */
export const untilStoresAnswer = async (
  stores: Stores,
  needs: readonly Store[],
  limitMs = ANSWER_WITHIN_MS,
): Promise<void> => {
  const answers = await Promise.allSettled(needs.map((store) => ask(stores, store, limitMs)));
  const faults = answers.flatMap((answer) => (answer.status === "rejected" ? [reasonOf(answer.reason)] : []));
  if (faults.length > 0) throw new StoreAway(faults.join("\n"));
};

/**
 * Rejects when a store stops answering while a command runs; never resolves. No client limits the time of a statement, so
 * a command on a server that hangs would hang too.
 */
export const storesGoneAway = async (
  stores: Stores,
  needs: readonly Store[],
  signal: AbortSignal,
  limitMs = ANSWER_WITHIN_MS,
): Promise<never> => {
  for (;;) {
    await pause(ASK_EVERY_MS, signal);
    if (signal.aborted) return new Promise<never>(() => {});
    await untilStoresAnswer(stores, needs, limitMs);
  }
};
