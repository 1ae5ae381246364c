import type { Redis } from "ioredis";
import { keysOf } from "../../stream/keys.ts";
import { redisTimeMs } from "../../stream/watermark.ts";
import { silentLog } from "../../tests/pipeline.ts";
import { withDecline, withDue } from "./failure-fields.ts";
import { createHastening } from "./hastener.ts";

export const BOOT_MS = Date.now() - 3_600_000;
export const MINUTE_MS = 60_000;
export const failure = { attempts: 0, at: "t", reason: "greylisted" };

/** A hastener at the end of ten seconds in which everything was declined, and a retry set of its own; a new one was started since. */
export const aHastener = (redis: Redis, isDeclining: boolean, isNew = false, random = () => 0) => {
  const keys = keysOf(`hastener-${Bun.randomUUIDv7()}`);
  const retrySet = keys.retrySet("group");
  let nowMs = 3_600_000;
  const allDeclined = { since: nowMs - 10_000, until: nowMs };
  const breaker: { isDeclining: boolean; hasDeclinedLately: boolean; allDeclined: typeof allDeclined | undefined } = {
    isDeclining,
    hasDeclinedLately: true,
    allDeclined: isNew ? undefined : allDeclined,
  };
  const hastener = createHastening({
    ...{ redis, keys, breaker, log: silentLog, group: "group" },
    ledger: { hasten: async () => {} },
    onHastened: () => {},
    now: () => nowMs,
    wallClock: () => new Date(BOOT_MS + nowMs),
    random,
  });
  /** Adds entries that are due after a time from now: declined as everything was, or before that. */
  const wait = async (
    ids: readonly string[],
    dueInMs: number,
    { isOfThen = true, wasHastened = false, tellsSince = false } = {},
  ) => {
    const dueMs = (await redisTimeMs(redis)) + dueInMs;
    const askedAtMs = BOOT_MS + (isOfThen ? allDeclined.since : allDeclined.since - MINUTE_MS);
    const members = ids.map((id) => {
      const since = tellsSince ? BOOT_MS + allDeclined.since : 0;
      const declined = withDecline(["id", id], failure, { askedAtMs: askedAtMs + (tellsSince ? 5_000 : 0), since });
      return JSON.stringify(wasHastened ? withDue(declined, dueMs) : declined);
    });
    await redis.zadd(retrySet, ...members.flatMap((member) => [dueMs, member]));
  };
  /** The ids of those that are due now. */
  const due = async () => {
    const members = await redis.zrangebyscore(retrySet, "-inf", (await redisTimeMs(redis)) + 1_000);
    return members.map((member) => String((JSON.parse(member) as unknown[])[1])).sort();
  };
  /** Takes turns until there is nothing more to do at once; returns how many. */
  const work = async () => {
    for (let turns = 1; turns <= 50; turns += 1) if ((await hastener.turn()) === "idle") return turns;
    throw new Error("50 turns without a pause");
  };
  /** `askedAt`: now, if not given. */
  const accepted = ({ askedAt = nowMs, wasHastened = false } = {}) => hastener.accepted({ askedAt, wasHastened });
  return {
    hastener: { ...hastener, accepted },
    breaker,
    retrySet,
    wait,
    due,
    work,
    pass: (ms: number) => (nowMs += ms),
  };
};

export const many = (count: number, name = "old") => Array.from({ length: count }, (_, n) => `${name}-${n}`);
