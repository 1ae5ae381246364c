import type { Redis } from "ioredis";
import type { OrderedRate, Rates } from "../database/groups/rates.ts";
import type { Keys } from "./keys.ts";

/*
 * A rate that an operator ordered is a row in Postgres. Redis has a copy, which consumers read every few seconds: the hash
 * `rates`, with a field that is no budget and says that the copy is complete. Without that field, after a FLUSHALL for example,
 * they ask Postgres.
 */

/** Among the budgets: the copy is complete. No budget has this name. */
const COMPLETE = "*";

export interface RateStores {
  readonly rates: Rates;
  readonly redis: Redis;
  readonly keys: Keys;
}

const textOf = (perSecond: number): string => String(perSecond);

/** Writes the copy; false: Redis did not take it, and says no more that its copy is complete. The api completes it within seconds. */
const isCopied = async (redis: Redis, keys: Keys, write: () => Promise<unknown>): Promise<boolean> => {
  try {
    await write();
    return true;
  } catch {
    await redis.hdel(keys.rates, COMPLETE).catch(() => {});
    return false;
  }
};

/**
 * Orders a rate for a budget: its consumers keep to it within seconds, instead of that of their settings. `isCopied` is false
 * if Redis did not take its copy.
 *
 * @throws the error of Postgres: then nothing was ordered
 */
export const orderRate = async (
  { rates, redis, keys }: RateStores,
  order: Omit<OrderedRate, "orderedAt">,
): Promise<{ readonly isCopied: boolean }> => {
  await rates.save(order);
  return { isCopied: await isCopied(redis, keys, () => redis.hset(keys.rates, order.budget, textOf(order.perSecond))) };
};

/** Ends an ordered rate; that of the settings is in force again within seconds. `wasOrdered` is false if there was none. */
export const clearRate = async (
  { rates, redis, keys }: RateStores,
  budget: string,
): Promise<{ readonly wasOrdered: boolean; readonly isCopied: boolean }> => {
  const wasOrdered = await rates.remove(budget);
  return { wasOrdered, isCopied: await isCopied(redis, keys, () => redis.hdel(keys.rates, budget)) };
};

/**
 * The rate that is ordered for one budget, for its consumers: by the copy in Redis (HMGET), and by Postgres where the copy is not
 * complete, or may be older than the connection: after a failover or a restart. Undefined: none is ordered.
 *
 * @throws the error of a store: then nobody knows
 */
export const createRateCheck = (
  { rates, redis, keys }: RateStores,
  budget: string,
): (() => Promise<number | undefined>) => {
  let isCopyTrusted = false;
  redis.on("ready", () => {
    isCopyTrusted = false;
  });
  return async () => {
    const [text, complete] = await redis.hmget(keys.rates, budget, COMPLETE);
    const copied = typeof text === "string" ? Number(text) : undefined;
    if (typeof complete === "string" && isCopyTrusted) return copied;
    const ordered = await rates.find(budget);
    isCopyTrusted = ordered === copied;
    return ordered;
  };
};

/**
 * Makes the copy in Redis what Postgres has; to be called every few seconds. Returns the budgets whose rate Redis had lost or had
 * otherwise.
 */
export const createRateKeeper =
  ({ rates, redis, keys }: RateStores): (() => Promise<readonly string[]>) =>
  async () => {
    // Redis first: what is ordered between the two is written once more, not undone.
    const { [COMPLETE]: complete, ...copied } = await redis.hgetall(keys.rates);
    const ordered = await rates.list();
    const wrong = ordered.filter(({ budget, perSecond }) => copied[budget] !== textOf(perSecond));
    const cleared = Object.keys(copied).filter((name) => !ordered.some(({ budget }) => budget === name));
    if (complete !== undefined && wrong.length + cleared.length === 0) return [];
    if (cleared.length > 0) await redis.hdel(keys.rates, ...cleared);
    const right = wrong.map(({ budget, perSecond }) => [budget, textOf(perSecond)] as const);
    await redis.hset(keys.rates, { ...Object.fromEntries(right), [COMPLETE]: "" });
    return [...wrong.map(({ budget }) => budget), ...cleared];
  };
