import type { Redis } from "ioredis";
import type { NewPause, Pause, Pauses } from "../database/groups/pauses.ts";
import type { Keys } from "./keys.ts";

/*
 * Pauses are rows in Postgres. Redis has a copy, which consumers read each second: the set `paused`, with a member that is no
 * group and says that the copy is complete. Without that member, after a FLUSHALL for example, they ask Postgres.
 */

/** In the set of paused groups: the copy is complete. No group has this name. */
const COMPLETE = "*";

export interface PauseStores {
  readonly pauses: Pauses;
  readonly redis: Redis;
  readonly keys: Keys;
}

/** What became of a pause. */
export interface PauseOutcome {
  /** False: the group was paused already; then its reason stays. */
  readonly changed: boolean;
  /** Stores that did not take it. The api completes both within seconds, once they are available. */
  readonly missing: readonly ("postgres" | "redis")[];
}

const copyPause = async (redis: Redis, keys: Keys, { group, reason }: Pick<Pause, "group" | "reason">) => {
  const commands = redis.multi().sadd(keys.paused, group);
  if (reason !== null) commands.hsetnx(keys.pausedFor, group, reason);
  const results = (await commands.exec()) ?? [];
  for (const [error] of results) if (error) throw error;
  return results[0]?.[1] === 1;
};

/**
 * Pauses a group: its consumers stop reading within about a second. One store is enough: without Postgres the pause is in Redis,
 * without Redis in Postgres, and where Redis is full it says no more that its copy is complete.
 *
 * @throws the error of Postgres if neither store took it
 */
export const pauseGroup = async ({ pauses, redis, keys }: PauseStores, pause: NewPause): Promise<PauseOutcome> => {
  const [saved] = await Promise.allSettled([pauses.save(pause)]);
  const [copied] = await Promise.allSettled([copyPause(redis, keys, pause)]);
  if (saved.status === "rejected" && copied.status === "rejected") throw saved.reason;
  if (copied.status === "rejected") await redis.srem(keys.paused, COMPLETE).catch(() => {});
  return {
    changed: saved.status === "fulfilled" ? saved.value : copied.status === "fulfilled" && copied.value,
    missing: [
      ...(saved.status === "rejected" ? (["postgres"] as const) : []),
      ...(copied.status === "rejected" ? (["redis"] as const) : []),
    ],
  };
};

/** Resumes a group, and forgets the reason of its pause. False if it was not paused. May be repeated if a store was away. */
export const resumeGroup = async ({ pauses, redis, keys }: PauseStores, group: string): Promise<boolean> => {
  const removed = await pauses.remove(group);
  const forgotten = await redis.srem(keys.paused, group);
  await redis.hdel(keys.pausedFor, group);
  return removed || forgotten === 1;
};

/**
 * Whether one group is paused, for its consumer: by the copy in Redis (SMISMEMBER), and by Postgres where the copy is not
 * complete, or may be older than the connection: after a failover or a restart.
 *
 * @throws the error of a store: then nobody knows, and nothing is to be read
 */
export const createPauseCheck = ({ pauses, redis, keys }: PauseStores, group: string): (() => Promise<boolean>) => {
  let isCopyTrusted = false;
  redis.on("ready", () => {
    isCopyTrusted = false;
  });
  return async () => {
    const [isInCopy, isComplete] = await redis.smismember(keys.paused, group, COMPLETE);
    if (isInCopy === 1) return true;
    if (isComplete === 1 && isCopyTrusted) return false;
    const isPaused = await pauses.has(group);
    isCopyTrusted = !isPaused;
    return isPaused;
  };
};

/** What the keeper of the copy did. */
export interface KeptPauses {
  /** Copied to Redis, which had lost them. */
  readonly restored: readonly string[];
  /** Found in Redis only, twice in a row, and saved in Postgres: paused while that was away, or by hand, or before a restore. */
  readonly saved: readonly string[];
  /** Paused by hand in Redis, and resumed there by hand. */
  readonly ended: readonly string[];
}

/** Who paused a group whose pause was found in Redis only. */
const FOUND = "redis";

/**
 * Keeps pauses in Postgres and their copy in Redis the same; to be called every few seconds. Postgres decides; a pause that only
 * Redis has is saved, because pausing by mistake costs less than going on by mistake.
 */
export const createPauseKeeper = ({ pauses, redis, keys }: PauseStores): (() => Promise<KeptPauses>) => {
  /** Groups that only Redis had the last time. A resume between two statements is over by the next time. */
  let seen: ReadonlySet<string> = new Set();

  const restore = async (lost: readonly Pause[]): Promise<void> => {
    const commands = redis.multi().sadd(keys.paused, COMPLETE, ...lost.map(({ group }) => group));
    for (const { group, reason } of lost) if (reason !== null) commands.hset(keys.pausedFor, group, reason);
    for (const [error] of (await commands.exec()) ?? []) if (error) throw error;
    // What was resumed meanwhile must not stay in the copy.
    for (const { group } of lost) if (!(await pauses.has(group))) await redis.srem(keys.paused, group);
  };

  return async () => {
    const inRedis = new Set(await redis.smembers(keys.paused));
    const isComplete = inRedis.delete(COMPLETE);
    const saved = await pauses.list();
    const missing = saved.filter(({ group }) => !inRedis.has(group));
    // What was paused by hand in Redis may be resumed there by hand; but not by a flush.
    const ended = isComplete ? missing.filter(({ by }) => by === FOUND) : [];
    const lost = missing.filter((pause) => !ended.includes(pause));
    for (const { group } of ended) await pauses.remove(group);
    if (!isComplete || lost.length > 0) await restore(lost);

    const unsaved = [...inRedis].filter((name) => !saved.some(({ group }) => group === name));
    const found = unsaved.filter((group) => seen.has(group));
    for (const group of found) {
      await pauses.save({ group, reason: await redis.hget(keys.pausedFor, group), by: FOUND });
    }
    seen = new Set(unsaved);
    const names = (some: readonly Pause[]) => some.map(({ group }) => group);
    return { restored: names(lost), saved: found, ended: names(ended) };
  };
};
