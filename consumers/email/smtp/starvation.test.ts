import { expect, jest, test } from "bun:test";
import { aLimitedServer, consume, settle } from "./limited-server-for-tests.ts";
import { createSmtpPool } from "./pool.ts";
import { askAgainAtMs } from "./starvation.ts";

const half = () => 0.5;

test.each([
  [0, undefined, 125],
  [125, undefined, 250],
  [4_000, undefined, 8_000],
  [10_000, undefined, 14_000],
  [300_000, undefined, 360_000],
  [500, 50_000, 1_000],
  // It takes as long as the last time, perhaps, but need not.
  [1_000, 50_000, 4_000],
  [4_000, 50_000, 16_000],
  [16_000, 50_000, 45_000],
  [45_000, 50_000, 50_000],
  [55_000, 50_000, 65_000],
] as const)(
  "asked %d ms after the first refusal, the last time %p ms in vain: again at %d ms",
  (askedAt, last, next) => {
    expect(askAgainAtMs(askedAt, last, half)).toBeCloseTo(next, -1);
  },
);

test("who was without a connection for long is not so again for nearly as long, where it is a moment", async () => {
  jest.useFakeTimers();
  try {
    const server = aLimitedServer({ limit: 1, mailMs: 100 });
    const stopping = new AbortController();
    const { signal } = stopping;
    const pool = createSmtpPool({
      ...{ server: { host: "mail.example", port: 25, tls: "none" }, size: 1, sendDeadlineMs: 30_000 },
      openSession: server.open,
    });
    let ms = 0;
    let firstMs: number | undefined;
    const [healsMs, nothing] = [70_000, { from: 66_000, longFrom: 1_000, longTo: 46_000 }];
    const onAccepted = () => {
      if (ms > healsMs) firstMs ??= ms - healsMs;
    };
    void consume(pool, { size: 1, claimMs: 40, signal, onFailed: () => {}, onAccepted });
    for (; ms < healsMs + 40_000; ms += 1) {
      if (ms === nothing.longFrom || ms === nothing.from) server.setLimit(0);
      if (ms === nothing.longTo || ms === healsMs) server.setLimit(1);
      jest.advanceTimersByTime(1);
      await settle();
    }
    stopping.abort();
    expect(firstMs).toBeLessThan(15_000);
  } finally {
    jest.clearAllTimers();
    jest.useRealTimers();
  }
});
