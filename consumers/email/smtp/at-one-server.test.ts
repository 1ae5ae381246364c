import { expect, jest, test } from "bun:test";
import { createAtOneServer } from "./at-one-server.ts";
import { aLimitedServer, consume, settle } from "./limited-server-for-tests.ts";
import { createSmtpPool } from "./pool.ts";

const target = { host: "mail.example", port: 25, tls: "none" } as const;
const LATER_MS = 5_000;
const RUN_MS = 40_000;

/** One group has an endless backlog; another one begins later. Returns when that had its first mail, and its share in the last 20 s. */
const compete = async (limit: number, mailMs: number) => {
  jest.useFakeTimers();
  try {
    const server = aLimitedServer({ limit, mailMs });
    const stopping = new AbortController();
    const together = createAtOneServer(() => performance.now());
    const accepted = [0, 0];
    let firstMs: number | undefined;
    let ms = 0;
    const start = (group: 0 | 1) => {
      const pool = createSmtpPool({
        ...{ server: target, size: 20, sendDeadlineMs: 30_000, openSession: server.open, together },
      });
      const onAccepted = () => {
        if (group === 1) firstMs ??= ms - LATER_MS;
        if (ms >= RUN_MS / 2) accepted[group] = (accepted[group] ?? 0) + 1;
      };
      void consume(pool, { size: 20, claimMs: 40, signal: stopping.signal, onFailed: () => {}, onAccepted });
    };
    start(0);
    for (; ms < RUN_MS; ms += 1) {
      if (ms === LATER_MS) start(1);
      jest.advanceTimersByTime(1);
      await settle();
    }
    stopping.abort();
    const [earlier = 0, later = 0] = accepted;
    return {
      firstMs,
      ofAll: later / (earlier + later),
      ofPossible: (earlier + later) / ((limit * RUN_MS) / 2 / (mailMs + 2)),
    };
  } finally {
    jest.clearAllTimers();
    jest.useRealTimers();
  }
};

test.each([
  [1, 100],
  [2, 100],
  [10, 100],
  [10, 1_000],
  [20, 300],
])(
  "a group that comes later to a server that grants %d connections has its share of them, though another has a backlog; %d ms a mail",
  async (limit, mailMs) => {
    const { firstMs, ofAll, ofPossible } = await compete(limit, mailMs);
    expect(firstMs).toBeLessThan(3_000);
    expect(ofAll).toBeGreaterThan(0.35);
    expect(ofAll).toBeLessThan(0.65);
    expect(ofPossible).toBeGreaterThan(0.85);
  },
);
