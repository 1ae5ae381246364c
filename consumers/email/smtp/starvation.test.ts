import { expect, jest, test } from "bun:test";
import { aLimitedServer, consume } from "./limited-server-for-tests.ts";
import { createSmtpPool } from "./pool.ts";
import { askAgainAtMs } from "./starvation.ts";
import { passTime } from "./virtual-time-for-tests.ts";

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
    let healedAt: number | undefined;
    let firstMs: number | undefined;
    const onAccepted = () => {
      if (healedAt !== undefined) firstMs ??= performance.now() - healedAt;
    };
    void consume(pool, { size: 1, claimMs: 40, signal, onFailed: () => {}, onAccepted });
    const grantsNothingFor = async (ms: number) => {
      server.setLimit(0);
      await passTime(ms);
      server.setLimit(1);
    };
    await passTime(1_000);
    await grantsNothingFor(45_000);
    await passTime(20_000);
    await grantsNothingFor(4_000);
    healedAt = performance.now();
    await passTime(40_000);
    stopping.abort();
    expect(firstMs).toBeLessThan(15_000);
  } finally {
    jest.clearAllTimers();
    jest.useRealTimers();
  }
});
