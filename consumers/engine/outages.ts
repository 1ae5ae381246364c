import type { Redis } from "ioredis";

/** A time in which Redis did not answer this process. Monotonic, ms. */
export interface Outage {
  readonly from: number;
  readonly to: number;
}

export interface Outages {
  /**
   * The idle time in ms, by Redis' clock, of an entry that its owner could have renewed for `thresholdMs` and did not.
   * Larger than the threshold if Redis was away meanwhile, as far as this process knows.
   */
  requiredIdleMs(thresholdMs: number): number;
}

/** More happen only on a link that is cut all the time. */
const MAX_OUTAGES = 100;

/**
 * How long an entry must be idle now so that Redis answered for `thresholdMs` of it. Pure. `outages`: in order, ended.
 *
 * Idle times run on while Redis is away, and owners cannot renew. A link that is cut often makes that time a little longer
 * than the threshold, not endless.
 *
 * | outages (from, to), before now | threshold | idle   |
 * | ------------------------------ | --------- | ------ |
 * | none                           | 10,000    | 10,000 |
 * | 30 s, until now                | 10,000    | 40,000 |
 * | 1 s, 8 s ago                   | 10,000    | 11,000 |
 * | 30 s, 12 s ago                 | 10,000    | 10,000 |
 */
export const requiredIdleMs = (outages: readonly Outage[], nowMs: number, thresholdMs: number): number => {
  let left = thresholdMs;
  let cursor = nowMs;
  for (const { from, to } of outages.toReversed()) {
    const answered = cursor - to;
    if (answered >= left) break;
    left -= answered;
    cursor = from;
  }
  return nowMs - cursor + left;
};

/**
 * Remembers when a connection to Redis was down. What was before this process is taken for answered: a lease in the ledger
 * still protects an owner that could not renew.
 */
export const watchOutages = (redis: Redis, now: () => number): Outages => {
  const outages: Outage[] = [];
  let awaySince = redis.status === "ready" ? undefined : now();
  redis.on("close", () => {
    awaySince ??= now();
  });
  redis.on("ready", () => {
    if (awaySince !== undefined) outages.push({ from: awaySince, to: now() });
    awaySince = undefined;
    if (outages.length > MAX_OUTAGES) outages.shift();
  });
  return { requiredIdleMs: (thresholdMs) => requiredIdleMs(outages, now(), thresholdMs) };
};
