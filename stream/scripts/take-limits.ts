import type { Redis } from "ioredis";
import { defineScript, runScript } from "./script.ts";
import source from "./take-limits.lua" with { type: "text" };

const script = defineScript(source);

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
export type LimitAnswer = { readonly kind: "admitted"; readonly left?: Left } | LimitRefusal;

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

/** Decides on requests in their order, on Redis' clock, in one call. */
export const takeLimits = async (
  redis: Redis,
  requests: readonly LimitedRequest[],
  { limits, keepMs, atMs }: TakeOptions,
): Promise<readonly LimitAnswer[]> => {
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
