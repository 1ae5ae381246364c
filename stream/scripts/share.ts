import type { Redis } from "ioredis";
import { defineScript, runScript } from "./script.ts";
import source from "./share.lua" with { type: "text" };

const script = defineScript(source);

/** What a pool has of what another system grants to few, as others see it. */
export interface Share {
  readonly group: string;
  readonly has: number;
  /** How many of them it does not use. */
  readonly idle: number;
  /** Whether it has had its only one for long enough. */
  readonly mayBeLeftWithout: boolean;
}

/** Of another consumer, or of another group of this one. */
export interface OthersShare extends Share {
  readonly pool: string;
  /** Since when it asks for one more, and nobody has answered that, in ms of Redis' clock; undefined: it does not. */
  readonly askedAt: number | undefined;
}

/** What a pool says. */
export interface OwnShare extends Share {
  readonly pool: string;
  /** Whether it was refused one more; `repeated`: a while ago, and still has none. */
  readonly request: "none" | "new" | "repeated";
  /** Since when it has asked without having any, in ms of Redis' clock: who is robbed of what was left for it stays where it was in the line. */
  readonly withoutSince?: number | undefined;
}

/** What it hears. */
export interface Said {
  /** The request that it repeats was answered: somebody has given one up. */
  readonly isAnswered: boolean;
  /** Since when it asks itself. */
  readonly askedAt: number | undefined;
  /** What others have said in the last five seconds. */
  readonly others: readonly OthersShare[];
}

/** `2 1 1 group`: it has two, one is idle, it may be left without. */
const format = ({ group, has, idle, mayBeLeftWithout }: Share): string =>
  `${has} ${idle} ${mayBeLeftWithout ? 1 : 0} ${group}`;

const parse = (words: string): Share => {
  const [has, idle, mayBeLeftWithout, group = ""] = words.split(" ");
  return { group, has: Number(has), idle: Number(idle), mayBeLeftWithout: mayBeLeftWithout === "1" };
};

const timeOf = (said: string | undefined): number | undefined => {
  const ms = Number(said ?? 0);
  return ms > 0 ? ms : undefined;
};

/** Says what a pool has, and whether it asks for one more. */
export const sayShare = async (
  redis: Redis,
  key: string,
  { pool, request, withoutSince = 0, ...share }: OwnShare,
): Promise<Said> => {
  const answer: unknown = await runScript(redis, script, [key], [pool, format(share), request, withoutSince]);
  const [isAnswered, askedAt, ...said] = Array.isArray(answer) ? answer.map(String) : [];
  const others: OthersShare[] = [];
  for (let at = 0; at + 2 < said.length; at += 3) {
    others.push({ pool: said[at] ?? "", ...parse(said[at + 1] ?? ""), askedAt: timeOf(said[at + 2]) });
  }
  return { isAnswered: isAnswered === "1", askedAt: timeOf(askedAt), others };
};

/** Answers a pool that asks; false: somebody else has (HDEL). */
export const answerRequest = async (redis: Redis, key: string, pool: string): Promise<boolean> =>
  (await redis.hdel(key, `asks ${pool}`)) === 1;

/** Forgets a pool that is closed (HDEL). */
export const endShare = async (redis: Redis, key: string, pool: string): Promise<void> => {
  await redis.hdel(key, `has ${pool}`, `asks ${pool}`);
};
