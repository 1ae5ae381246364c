import { expect, jest, test } from "bun:test";
import { Redis } from "ioredis";
import { keysOf } from "../../stream/keys.ts";
import { silentLog } from "../../tests/pipeline.ts";
import { Finished } from "./finished.ts";
import { startHeartbeat } from "./heartbeat.ts";
import { createInFlight } from "./in-flight.ts";
import { aRunningAttempt } from "./running-attempt-for-tests.ts";

/** Lets promises run until nothing but time moves them. */
const settle = async () => {
  for (let turn = 0; turn < 30; turn += 1) await Promise.resolve();
};

const TIMEOUT_MS = 60_000;

test.each([
  ["refuses", () => Promise.reject(new Error("the connection was closed"))],
  ["does not answer", () => new Promise<never>(() => {})],
])("signs of life are on time while Postgres %s", async (_, renew) => {
  jest.useFakeTimers();
  try {
    const redis = new Redis({ lazyConnect: true });
    // What it writes there is not the point, but when.
    redis.disconnect();
    const inFlight = createInFlight(1);
    const attempt = aRunningAttempt();
    inFlight.take(attempt.entry);
    inFlight.claimed(attempt);
    let ms = 0;
    const signs: number[] = [];
    const loop = startHeartbeat(
      {
        ...{ redis, keys: keysOf("signup"), group: "group", consumer: "consumer", inFlight, log: silentLog },
        ...{ ledger: { renew }, now: () => ms, finished: new Finished() },
        report: () => {
          signs.push(ms);
          const breaker = { state: "closed", since: "2026-01-01T00:00:00Z" } as const;
          return {
            ...{ startedAt: "2026-01-01T00:00:00Z", state: "reading", inFlight: 1, kept: 0, concurrency: 1 },
            ...{ breaker, waitingParties: 0, faults: {} },
          };
        },
      },
      { claimMinIdleMs: 3_000 },
    );
    for (; ms < TIMEOUT_MS; ms += 100) {
      await settle();
      jest.advanceTimersByTime(100);
    }
    const ending = loop.stop();
    jest.advanceTimersByTime(1_000);
    await ending;
    const gaps = signs.slice(1).map((at, index) => at - (signs[index] ?? 0));
    expect(gaps.length).toBeGreaterThan(10);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(1_100);
  } finally {
    jest.clearAllTimers();
    jest.useRealTimers();
  }
});
