import type { Redis } from "ioredis";
import { defineScript, runScript } from "./script.ts";
import firstSource from "./take-first.lua" with { type: "text" };
import source from "./take-quota.lua" with { type: "text" };

const script = defineScript(source);
const firstScript = defineScript(firstSource);

/** So many pieces of work in any window of time. */
export interface QuotaLimit {
  readonly limit: number;
  readonly windowMs: number;
}

/** The keys of a quota. */
export interface QuotaKeys {
  /** The piece that it has counted, while it is the only one in its window. */
  readonly only: string;
  /** The pieces that it has counted, if there are more. */
  readonly counted: string;
  /** How many it has refused in this window. */
  readonly refused: string;
}

/** A piece of work, and the quotas that it uses: at least one. */
export interface QuotaRequest {
  /** Names the piece: however often it asks, it counts once in a window. */
  readonly piece: string;
  /** It is counted whatever is used up. */
  readonly isForced: boolean;
  readonly quotas: readonly (QuotaLimit & { readonly keys: QuotaKeys })[];
}

/** `counted`: in all of its quotas. `used-up`: in none, because the one with this index has no room before `waitMs`. */
export type QuotaAnswer =
  | { readonly kind: "counted" }
  | { readonly kind: "used-up"; readonly index: number; readonly waitMs: number };

const toAnswer = (row: unknown): QuotaAnswer => {
  const [index = 0, waitMs = 0] = Array.isArray(row) ? row.map(Number) : [];
  return index === 0 ? { kind: "counted" } : { kind: "used-up", index: index - 1, waitMs };
};

const COUNTED: QuotaAnswer = { kind: "counted" };

/** Counts those that are the first in their only quota, one call for each window; returns the others. */
const takeFirsts = async (
  redis: Redis,
  requests: readonly QuotaRequest[],
  atMs: number | undefined,
): Promise<readonly QuotaRequest[]> => {
  const windowOf = ({ quotas: [quota, ...more] }: QuotaRequest) => (more.length === 0 ? quota?.windowMs : undefined);
  const others: QuotaRequest[] = [];
  for (const [windowMs, alike] of Map.groupBy(requests, windowOf)) {
    if (windowMs === undefined) {
      others.push(...alike);
      continue;
    }
    const keys = alike.flatMap(({ quotas }) => quotas.map(({ keys: { only } }) => only));
    const reply = await runScript(redis, firstScript, keys, [atMs ?? "", windowMs, ...alike.map(({ piece }) => piece)]);
    const positions: readonly unknown[] = Array.isArray(reply) ? reply : [];
    others.push(...positions.flatMap((position) => alike[Number(position) - 1] ?? []));
  }
  return others;
};

/** Counts pieces of work in all of their quotas or in none. */
const takeAll = async (
  redis: Redis,
  requests: readonly QuotaRequest[],
  atMs: number | undefined,
): Promise<readonly QuotaAnswer[]> => {
  if (requests.length === 0) return [];
  const kinds: QuotaLimit[] = [];
  const kindOf = ({ limit, windowMs }: QuotaLimit): number => {
    const known = kinds.findIndex((kind) => kind.limit === limit && kind.windowMs === windowMs);
    return known < 0 ? kinds.push({ limit, windowMs }) : known + 1;
  };
  const keys: string[] = [];
  // One argument for each piece: the client writes, and Redis reads, each by itself.
  const pieces = requests.map(({ piece, isForced, quotas }) => {
    for (const quota of quotas) keys.push(quota.keys.only, quota.keys.counted, quota.keys.refused);
    return `${isForced ? "!" : "-"}${quotas.map(kindOf).join("")} ${piece}`;
  });
  const limits = kinds.flatMap(({ limit, windowMs }) => [limit, windowMs]);
  const answer = await runScript(redis, script, keys, [atMs ?? "", kinds.length, ...limits, ...pieces]);
  return requests.map((_, index) => toAnswer(Array.isArray(answer) ? answer[index] : undefined));
};

/**
 * Counts pieces of work against their quotas, on Redis' clock or at `atMs`; one answer per piece. Those that use the same quota are
 * counted in their order. The quotas of one call have at most nine different limits.
 *
 * @throws what Redis refuses: then it is unknown which are counted
 */
export const takeQuotas = async (
  redis: Redis,
  requests: readonly QuotaRequest[],
  atMs?: number,
): Promise<readonly QuotaAnswer[]> => {
  const others = await takeFirsts(redis, requests, atMs);
  const answers = await takeAll(redis, others, atMs);
  const known = new Map(others.map((request, index) => [request, answers[index] ?? COUNTED]));
  return requests.map((request) => known.get(request) ?? COUNTED);
};
