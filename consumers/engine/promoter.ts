import type { Redis } from "ioredis";
import type { Logger } from "../../observability/logger.ts";
import { type Loop, startLoop } from "../../runtime/loop.ts";
import type { Keys } from "../../stream/keys.ts";
import { promoteDue } from "../../stream/scripts/promote.ts";

export interface PromoterDeps {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly group: string;
  readonly log: Logger;
  /** Monotonic, ms. */
  readonly now: () => number;
}

export interface Promoter extends Loop {
  /** This consumer has delayed an entry: it is promoted when it is due. */
  expect(dueInMs: number): void;
}

const MAX_PER_TURN = 200;
const LEAST_WAIT_MS = 250;
const MOST_WAIT_MS = 1_000;

/**
 * How long a promoter waits until it looks again, in ms, if nothing is delayed meanwhile. Pure.
 *
 * | next due | wait   | because                                            |
 * | -------- | ------ | -------------------------------------------------- |
 * | 10       | 250    | what is due until then is promoted together        |
 * | 400      | 400    | it is due then                                     |
 * | 3600000  | 1000   | a peer may delay another one meanwhile, and die    |
 * | none     | 1000   | likewise                                           |
 */
export const promoterWaitMs = (nextInMs: number | undefined, mostWaitMs: number): number =>
  Math.min(mostWaitMs, Math.max(LEAST_WAIT_MS, nextInMs ?? mostWaitMs));

/** Queues retries when they are due. Any number of promoters may run: a script moves each member once. */
export const startPromoter = (
  { redis, keys, group, log, now }: PromoterDeps,
  { mostWaitMs = MOST_WAIT_MS }: { readonly mostWaitMs?: number } = {},
): Promoter => {
  let lookedAt = Number.NEGATIVE_INFINITY;
  let lookAt = Number.POSITIVE_INFINITY;
  let waitAnew = () => {};

  const untilThen = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const end = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", end);
        waitAnew = () => {};
        resolve();
      };
      waitAnew = () => {
        clearTimeout(timer);
        timer = setTimeout(end, Math.max(0, lookAt - now()));
      };
      if (signal.aborted) return end();
      signal.addEventListener("abort", end);
      waitAnew();
    });

  const loop = startLoop({
    name: `promoter of ${group}`,
    log,
    everyMs: 0,
    needs: redis,
    turn: async (signal) => {
      lookedAt = now();
      lookAt = Number.POSITIVE_INFINITY;
      const streams = { retrySet: keys.retrySet(group), retriesStream: keys.retriesStream(group) };
      const { moved, nextInMs } = await promoteDue(redis, streams, MAX_PER_TURN);
      if (moved === MAX_PER_TURN) return "again";
      lookAt = Math.min(lookAt, lookedAt + promoterWaitMs(nextInMs, mostWaitMs));
      await untilThen(signal);
      return "again";
    },
  });

  return {
    ...loop,
    expect(dueInMs) {
      const dueAt = Math.max(lookedAt + LEAST_WAIT_MS, now() + dueInMs);
      if (dueAt >= lookAt) return;
      lookAt = dueAt;
      waitAnew();
    },
  };
};
