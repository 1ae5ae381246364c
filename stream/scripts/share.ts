import type { Redis } from "ioredis";
import { defineScript, runScript } from "./script.ts";
import source from "./share.lua" with { type: "text" };

const script = defineScript(source);

/** What a pool has of what another system grants to few, as others see it. */
export interface Share {
  readonly pool: string;
  readonly group: string;
  readonly has: number;
  /** How many of them it does not use. */
  readonly idle: number;
  /** Whether it has had its only one for long enough. */
  readonly mayBeLeftWithout: boolean;
}

/** With what it asks for. */
export interface PoolShare extends Share {
  /** Since when it asks for one more, and nobody has answered that, in ms of Redis' clock; undefined: it does not. */
  readonly askedAt: number | undefined;
}

/** What a pool says. */
export interface OwnShare extends Share {
  /** Whether it was refused one more; `repeated`: a while ago, and still wants it. */
  readonly request: "none" | "new" | "repeated";
  /** Since when it has asked without having any, in ms of Redis' clock: who is robbed of what was left for it stays where it was in the line. */
  readonly withoutSince?: number | undefined;
}

/** What it hears of those of which something was heard in the last five seconds. */
export interface Said {
  /** The request that it repeats was answered: somebody has given one up. */
  readonly isAnswered: boolean;
  /** Since when it asks itself. */
  readonly askedAt: number | undefined;
  /** What all others have together. */
  readonly othersHave: number;
  /** Groups that have pools there, its own included. */
  readonly groups: number;
  /** Pools that ask for one more. */
  readonly asking: number;
  /** The pool for which it is to give one up; undefined: none, or it decides that itself. */
  readonly asker: string | undefined;
  /** All pools, its own included: it decides who gives one up for whom. Undefined: another one does, or nobody asks. */
  readonly all: readonly PoolShare[] | undefined;
}

/** A pool gives one up for another one, as was decided when it had so many. */
export interface Answer {
  readonly giver: string;
  readonly had: number;
  readonly asker: string;
}

/** `2 1 1 group`: it has two, one is idle, it may be left without. */
const format = ({ group, has, idle, mayBeLeftWithout }: Share): string =>
  `${has} ${idle} ${mayBeLeftWithout ? 1 : 0} ${group}`;

const parse = (pool: string, words: string): Share => {
  const [has, idle, mayBeLeftWithout, group = ""] = words.split(" ");
  return { pool, group, has: Number(has), idle: Number(idle), mayBeLeftWithout: mayBeLeftWithout === "1" };
};

const timeOf = (said: string | undefined): number | undefined => {
  const ms = Number(said ?? 0);
  return ms > 0 ? ms : undefined;
};

/** Says what a pool has, and whether it asks for one more. */
export const sayShare = async (
  redis: Redis,
  key: string,
  { request, withoutSince = 0, ...share }: OwnShare,
): Promise<Said> => {
  const answer: unknown = await runScript(redis, script, [key], [share.pool, format(share), request, withoutSince]);
  const [isAnswered, askedAt, othersHave, groups, asking, asker = "", ...said] = Array.isArray(answer)
    ? answer.map(String)
    : [];
  const all: PoolShare[] = [];
  for (let at = 0; at + 2 < said.length; at += 3) {
    all.push({ ...parse(said[at] ?? "", said[at + 1] ?? ""), askedAt: timeOf(said[at + 2]) });
  }
  return {
    isAnswered: isAnswered === "1",
    askedAt: timeOf(askedAt),
    othersHave: Number(othersHave),
    groups: Number(groups),
    asking: Number(asking),
    asker: asker === "" ? undefined : asker,
    all: all.length === 0 ? undefined : all,
  };
};

/** Writes down who gives one up for whom, until all are looked at again (HSET). */
export const assignAnswers = async (redis: Redis, key: string, answers: readonly Answer[]): Promise<void> => {
  if (answers.length === 0) return;
  await redis.hset(key, new Map(answers.map(({ giver, had, asker }) => [`gives ${giver}`, `0 ${had} ${asker}`])));
};

/** Tells a pool that asks that one was given up for it (HDEL). */
export const answerRequest = async (redis: Redis, key: string, pool: string): Promise<void> => {
  await redis.hdel(key, `asks ${pool}`);
};

/** Forgets a pool that is closed (HDEL). */
export const endShare = async (redis: Redis, key: string, pool: string): Promise<void> => {
  await redis.hdel(key, `has ${pool}`, `asks ${pool}`);
};
