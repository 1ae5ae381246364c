import type { Redis } from "ioredis";

/** One consumer in which the work of a suspect began, and how many suspects ran in it at the same time. */
export interface Trial {
  readonly consumer: string;
  readonly size: number;
}

/** As long as Redis keeps the idle time of a consumer that is gone, by which its death is known. */
const HOUR_S = 3_600;

/** Notes that the work of a suspect begins (SADD, EXPIRE). */
export const noteTrial = async (redis: Redis, key: string, { consumer, size }: Trial): Promise<void> => {
  await Promise.all([redis.sadd(key, `${size} ${consumer}`), redis.expire(key, HOUR_S)]);
};

/** Forgets the trials of a suspect that has an outcome (DEL). */
export const forgetTrials = async (redis: Redis, key: string): Promise<void> => {
  await redis.del(key);
};

/** The trials of a suspect that have no outcome (SMEMBERS). */
export const readTrials = async (redis: Redis, key: string): Promise<readonly Trial[]> =>
  (await redis.smembers(key)).map((member) => {
    const [size = "", ...consumer] = member.split(" ");
    return { size: Number(size), consumer: consumer.join(" ") };
  });

/** Takes the only place of a group for a consumer that runs suspects. False if another consumer has it (SET NX PX). */
export const takeIsolation = async (redis: Redis, key: string, consumer: string, ttlMs: number): Promise<boolean> =>
  (await redis.set(key, consumer, "PX", Math.ceil(ttlMs), "NX")) === "OK";

/** Keeps the place, unless it has run out (GET, PEXPIRE). A race costs nothing: two consumers may run suspects. */
export const keepIsolation = async (redis: Redis, key: string, consumer: string, ttlMs: number): Promise<void> => {
  if ((await redis.get(key)) === consumer) await redis.pexpire(key, Math.ceil(ttlMs));
};

/** Leaves the place (GET, DEL). */
export const leaveIsolation = async (redis: Redis, key: string, consumer: string): Promise<void> => {
  if ((await redis.get(key)) === consumer) await redis.del(key);
};

/** Says that a consumer runs suspects, for so long (SET PX). */
export const sayRunning = async (redis: Redis, key: string, ttlMs: number): Promise<void> => {
  await redis.set(key, "1", "PX", Math.ceil(ttlMs));
};

/** It runs none any more (DEL). */
export const endRunning = async (redis: Redis, key: string): Promise<void> => {
  await redis.del(key);
};

/** Whether a consumer runs suspects (GET). */
export const isRunning = async (redis: Redis, key: string): Promise<boolean> => (await redis.get(key)) !== null;
