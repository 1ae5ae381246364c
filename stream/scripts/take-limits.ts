import type { Redis } from "ioredis";
import firstSource from "./admit-first.lua" with { type: "text" };
import { defineScript, runScript } from "./script.ts";
import source from "./take-limits.lua" with { type: "text" };

const script = defineScript(source);
const firstScript = defineScript(firstSource);

/** Which requests a limit counts; to be added. */
export const COUNTS = {
  /** Those whose record does not have their member. */
  newMember: 1,
  /** Those whose record has it. */
  sameMember: 2,
  /** Those whose record has it with their token. */
  sameToken: 4,
} as const;

/** A bucket of `quota` that fills evenly, within `periodMs`. */
export interface Limit {
  readonly quota: number;
  readonly periodMs: number;
  /** A sum of `COUNTS`. */
  readonly counts: number;
  /** Whether it is kept in the record of a request, and so has no key. */
  readonly isOfRecord: boolean;
}

/** The member of a record that is the record itself, spelt as that is. */
export const CANONICAL = "-";

/** A request that takes one from each of its limits, or is refused. */
export interface LimitedRequest {
  /** Key of what it is about. */
  readonly record: string;
  /** Its part of that: letters, digits, `-` and `_`. The record remembers those that were admitted, the last dozens of them. */
  readonly member: string;
  /** By which the same request is known again, letters and digits; empty: by nothing. */
  readonly token: string;
  /** Without a key if the limit is the record's own. */
  readonly takes: readonly { readonly limit: Limit; readonly key?: string | undefined }[];
}

/** What is left of a limit, and the time after which it is whole again. */
export interface Left {
  readonly count: number;
  readonly wholeAfterMs: number;
}

export interface LimitRefusal {
  readonly kind: "refused";
  /** Position of the limit among those of the request. */
  readonly by: number;
  /** After which it would be admitted. */
  readonly waitMs: number;
}

/** `left`: of the first limit that the request has, if that counts it. */
export interface LimitAdmission {
  readonly kind: "admitted";
  readonly left?: Left;
}

export type LimitAnswer = LimitAdmission | LimitRefusal;

export interface TakeOptions {
  /** Every limit that a request may have, at most nine. */
  readonly limits: readonly Limit[];
  /** How long a record is kept after the last request that was admitted; no shorter than the period of its own limit. */
  readonly keepMs: number;
  /** Time in ms instead of Redis' clock. */
  readonly atMs?: number;
}

const FIELDS = 4;
const ADMITTED: LimitAnswer = { kind: "admitted" };

/** Whether a limit is a record's own, and counts what nobody has asked for before. */
export const countsFirst = ({ isOfRecord, counts }: Limit): boolean => isOfRecord && (counts & COUNTS.newMember) !== 0;

/** One fills so often. */
export const intervalOf = ({ periodMs, quota }: Limit): number => periodMs / quota;

/** What is left of a limit that is whole again after some ms. */
export const leftOf = (limit: Limit, wholeAfterMs: number): Left => ({
  count: Math.max(0, Math.floor((limit.periodMs - wholeAfterMs + 1) / intervalOf(limit))),
  wholeAfterMs: Math.ceil(wholeAfterMs),
});

/** The answer to the first that such a limit counts, if no other does. */
export const answerToFirst = (limit: Limit): LimitAdmission => ({
  kind: "admitted",
  left: leftOf(limit, intervalOf(limit)),
});

/** Whether a request is admitted if nobody has asked for the same before: a limit of its record that counts the first, and no other. */
const mayBeFirst = ({ member, token, takes }: LimitedRequest): boolean => {
  const [only] = takes;
  return member === CANONICAL && token === "" && takes.length === 1 && only !== undefined && countsFirst(only.limit);
};

/** Admits those that are the first with their records. Returns the positions of the others, which are counted nowhere yet. */
const admitFirsts = async (
  redis: Redis,
  records: readonly string[],
  limit: Limit,
  { keepMs, atMs }: TakeOptions,
): Promise<readonly number[]> => {
  const reply = await runScript(redis, firstScript, records, [atMs ?? "", keepMs, intervalOf(limit), `${CANONICAL}=`]);
  return Array.isArray(reply) ? reply.map((position) => Number(position) - 1) : [];
};

const takeAll = async (
  redis: Redis,
  requests: readonly LimitedRequest[],
  { limits, keepMs, atMs }: TakeOptions,
): Promise<readonly LimitAnswer[]> => {
  if (requests.length === 0) return [];
  const keys: string[] = [];
  const args: (string | number)[] = [atMs ?? "", keepMs, limits.length];
  for (const { quota, periodMs, isOfRecord, counts } of limits) args.push(quota, periodMs, isOfRecord ? 1 : 0, counts);
  // One argument for each: the client writes, and Redis reads, each by itself.
  for (const { record, member, token, takes } of requests) {
    let asked = `${member}=${token} `;
    keys.push(record);
    for (const { limit, key } of takes) {
      if (key !== undefined) keys.push(key);
      asked += limits.indexOf(limit) + 1;
    }
    args.push(asked);
  }
  const reply = await runScript(redis, script, keys, args);
  const numbers: readonly unknown[] = Array.isArray(reply) ? reply : [];
  const field = (index: number, at: number) => Number(numbers[index * FIELDS + at]);
  return requests.map((_, index) => {
    const [refused, count] = [field(index, 0), field(index, 2)];
    if (refused > 0) return { kind: "refused", by: refused - 1, waitMs: field(index, 1) };
    return count < 0 ? ADMITTED : { kind: "admitted", left: { count, wholeAfterMs: field(index, 3) } };
  });
};

/** A request, and its place in a call. */
interface Placed {
  readonly request: LimitedRequest;
  readonly place: number;
}

/**
 * Decides on requests, those with the same keys in their order, on Redis' clock. Most are about what nobody has asked for before: a
 * key, a command and no answer are all that each of them costs.
 */
export const takeLimits = async (
  redis: Redis,
  requests: readonly LimitedRequest[],
  options: TakeOptions,
): Promise<readonly LimitAnswer[]> => {
  const own = options.limits.find(countsFirst);
  // Of a record that others ask for in another way, all are decided on in their order.
  const mixed = new Set<string>();
  for (const request of requests) if (!mayBeFirst(request)) mixed.add(request.record);
  const firsts: Placed[] = [];
  const others: Placed[] = [];
  for (const [place, request] of requests.entries()) {
    (mixed.has(request.record) ? others : firsts).push({ request, place });
  }
  const answers = requests.map((): LimitAnswer => ADMITTED);
  const take = async (placed: readonly Placed[]): Promise<void> => {
    const taken = await takeAll(
      redis,
      placed.map(({ request }) => request),
      options,
    );
    for (const [index, { place }] of placed.entries()) answers[place] = taken[index] ?? ADMITTED;
  };
  const admit = async (limit: Limit): Promise<readonly Placed[]> => {
    const first = answerToFirst(limit);
    const records = firsts.map(({ request, place }) => {
      answers[place] = first;
      return request.record;
    });
    return (await admitFirsts(redis, records, limit, options)).flatMap((position) => firsts[position] ?? []);
  };
  const [known] = await Promise.all([own === undefined || firsts.length === 0 ? [] : admit(own), take(others)]);
  await take(known);
  return answers;
};
