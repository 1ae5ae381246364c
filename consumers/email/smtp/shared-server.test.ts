import { expect, test } from "bun:test";
import { capacityOf } from "../open-pool.ts";
import { aLimitedServer, type Guard } from "./limited-server-for-tests.ts";
import type { SmtpPool } from "./pool.ts";
import { shareInVirtualTime } from "./sharing-for-tests.ts";

/** Most connections of a consumer. */
const SIZE = 20;
const LATER_MS = 5_000;
const RUN_MS = 40_000;

interface Competition {
  readonly limit: number;
  readonly mailMs: number;
  /** Consumers of each group. */
  readonly consumers: readonly [earlier: number, later: number];
}

/** One group has an endless backlog; another one begins later. Returns when that had its first mail, and its share in the last 20 s. */
const compete = ({ limit, mailMs, consumers }: Competition) =>
  shareInVirtualTime(async ({ ms, start, until }) => {
    const { open: openSession } = aLimitedServer({ limit, mailMs });
    const accepted = [0, 0];
    let firstMs: number | undefined;
    const begin = (index: 0 | 1) => {
      const onAccepted = () => {
        if (index === 1) firstMs ??= ms() - LATER_MS;
        if (ms() >= RUN_MS / 2) accepted[index] = (accepted[index] ?? 0) + 1;
      };
      for (let consumer = 0; consumer < consumers[index]; consumer += 1) {
        start({ group: `group-${index}`, size: SIZE, openSession, onAccepted });
      }
    };
    begin(0);
    await until(LATER_MS);
    begin(1);
    await until(RUN_MS);
    const [earlier = 0, later = 0] = accepted;
    return {
      firstMs,
      ofAll: later / (earlier + later),
      ofPossible: (earlier + later) / ((limit * RUN_MS) / 2 / (mailMs + 2)),
    };
  });

test.each([
  [1, 100, [1, 1], 0.5],
  [2, 100, [1, 1], 0.5],
  [10, 100, [1, 1], 0.5],
  [10, 1_000, [1, 1], 0.5],
  [20, 300, [1, 1], 0.5],
  [20, 300, [3, 3], 0.5],
  // One third or two: three cannot be halved.
  [3, 100, [4, 1], 0.5],
  [50, 300, [4, 1], SIZE / 50],
  [50, 300, [1, 4], 1 - SIZE / 50],
] as const)(
  "a group that comes later to a server that grants %d connections has its share, though another has a backlog: %d ms a mail, consumers of both %j",
  async (limit, mailMs, consumers, share) => {
    const { firstMs, ofAll, ofPossible } = await compete({ limit, mailMs, consumers });
    expect(firstMs).toBeLessThan(2_000 + 3 * mailMs);
    expect(Math.abs(ofAll - share)).toBeLessThan(0.25);
    expect(ofPossible).toBeGreaterThan(0.85);
  },
);

test.each(["421", "closed", "silent"] as const)(
  "who has asked for long in vain sends soon after its peer has died that had all connections: %s",
  (refusal) =>
    shareInVirtualTime(async ({ ms, start, until }) => {
      const { open: openSession } = aLimitedServer({ limit: 2, mailMs: 100, refusal });
      const one = { group: "group", size: SIZE, openSession };
      const dying = new AbortController();
      const diedMs = 180_000;
      let firstMs: number | undefined;
      const first = start({ ...one, signal: dying.signal });
      await until(2_000);
      const onAccepted = () => {
        if (ms() > diedMs) firstMs ??= ms() - diedMs;
      };
      start({ ...one, onAccepted });
      await until(diedMs);
      dying.abort();
      void first.close();
      await until(200_000);
      expect(firstMs).toBeLessThan(12_000);
    }),
);

interface Groups {
  readonly limit: number;
  readonly mailMs: number;
  readonly groups: number;
  readonly consumers?: number;
  readonly forMs: number;
  readonly refusal?: "421" | "closed";
  readonly seed?: number;
}

/** Groups with endless backlogs. Returns how many mails each has had, and in vain, and the longest time without one. */
const share = ({ groups, consumers = 1, forMs, seed, ...scenario }: Groups) =>
  shareInVirtualTime(async ({ ms, start, until }) => {
    const { open: openSession } = aLimitedServer(scenario);
    const counts = Array.from({ length: groups }, () => ({ mails: 0, failed: 0, lastMs: 0, gapMs: 0 }));
    counts.forEach((count, index) => {
      const onAccepted = () => {
        count.mails += 1;
        count.gapMs = Math.max(count.gapMs, ms() - count.lastMs);
        count.lastMs = ms();
      };
      const onFailed = () => {
        count.failed += 1;
      };
      for (let consumer = 0; consumer < consumers; consumer += 1) {
        start({ group: `group-${index}`, size: SIZE, openSession, onFailed, onAccepted });
      }
    });
    await until(forMs);
    return counts.map(({ lastMs, gapMs, ...count }) => ({ ...count, gapMs: Math.max(gapMs, forMs - lastMs) }));
  }, seed);

test.each([
  // By these seeds one group takes what was left for another one.
  { limit: 1, mailMs: 100, groups: 3, forMs: 60_000, seed: 7 },
  { limit: 1, mailMs: 100, groups: 3, forMs: 60_000, seed: 13 },
  { limit: 1, mailMs: 2_000, groups: 3, forMs: 120_000 },
  { limit: 1, mailMs: 5_000, groups: 2, forMs: 120_000 },
  { limit: 2, mailMs: 3_000, groups: 3, forMs: 90_000 },
  { limit: 1, mailMs: 100, groups: 2, forMs: 60_000, refusal: "closed" },
  { limit: 3, mailMs: 100, groups: 2, consumers: 2, forMs: 60_000, refusal: "closed" },
  { limit: 10, mailMs: 300, groups: 2, consumers: 3, forMs: 60_000, refusal: "closed" },
] as const)("no group goes without for long: %j", async (scenario) => {
  const groups = await share(scenario);
  const mails = groups.reduce((sum, group) => sum + group.mails, 0);
  for (const group of groups) {
    expect(group.mails / mails).toBeGreaterThan(0.6 / scenario.groups);
    expect(group.gapMs).toBeLessThan(20_000);
  }
});

test.each([
  { limit: 10, mailMs: 300, consumers: 1, refusal: "421" },
  { limit: 10, mailMs: 300, consumers: 1, refusal: "closed" },
  { limit: 10, mailMs: 2_000, consumers: 1, refusal: "421" },
  { limit: 20, mailMs: 300, consumers: 3, refusal: "421" },
] as const)(
  "a group that needed few connections has its share soon after it needs more, however long the limit has stood: %j",
  ({ limit, mailMs, consumers, refusal }) =>
    shareInVirtualTime(async ({ ms, start, until }) => {
      const { open: openSession } = aLimitedServer({ limit, mailMs, refusal });
      const [manyMs, fromMs, untilMs] = [160_000, 180_000, 200_000];
      const mails = { always: 0, later: 0 };
      const count = (group: keyof typeof mails) => () => {
        if (ms() >= fromMs) mails[group] += 1;
      };
      const guardOf = (pool: SmtpPool): Guard => {
        const { allowed } = capacityOf(pool, SIZE);
        return { allowed: () => Math.min(allowed(), ms() < manyMs ? 2 : SIZE), learn: () => {} };
      };
      for (let consumer = 0; consumer < consumers; consumer += 1) {
        start({ group: "always", size: SIZE, openSession, onAccepted: count("always") });
        start({ group: "later", size: SIZE, openSession, onAccepted: count("later"), guardOf });
      }
      await until(untilMs);
      const all = mails.always + mails.later;
      expect(mails.later / all).toBeGreaterThan(0.4);
      expect(all / ((limit * (untilMs - fromMs)) / (mailMs + 2))).toBeGreaterThan(0.95);
    }),
);

test.each([
  { limit: 2, mailMs: 100, groups: 1, consumers: 4, forMs: 160_000, refusal: "closed" },
  { limit: 4, mailMs: 100, groups: 2, consumers: 2, forMs: 160_000, refusal: "closed" },
  { limit: 5, mailMs: 300, groups: 2, consumers: 3, forMs: 160_000, refusal: "closed" },
] as const)(
  "what works for others is not away: a consumer without a connection fails no mail: %j",
  async (scenario) => {
    const groups = await share(scenario);
    // Until it has heard of the others for the first time.
    for (const group of groups) expect(group.failed).toBeLessThan(5);
    const mails = groups.reduce((sum, group) => sum + group.mails, 0);
    expect(mails / ((scenario.limit * scenario.forMs) / (scenario.mailMs + 2))).toBeGreaterThan(0.9);
  },
);

test.each([
  { limit: 20, withinMs: 5_000 },
  // Others have all of it.
  { limit: 4, withinMs: 75_000 },
])(
  "a group that alone cannot reach the server fails its mails after a while, and sends soon after it can: %j",
  ({ limit, withinMs }) =>
    shareInVirtualTime(async ({ ms, start, until }) => {
      const server = aLimitedServer({ limit, mailMs: 100 });
      let reached = aLimitedServer({ limit: 0, mailMs: 100, refusal: "closed" });
      const healsMs = 120_000;
      let failedMs: number | undefined;
      let firstMs: number | undefined;
      const onFailed = () => {
        failedMs ??= ms();
      };
      const onAccepted = () => {
        firstMs ??= ms();
      };
      start({ group: "group-0", size: 4, openSession: server.open, onFailed });
      const openSession = (...asked: Parameters<typeof server.open>) => reached.open(...asked);
      start({ group: "group-1", size: 4, openSession, onFailed, onAccepted });
      await until(healsMs);
      reached = server;
      await until(healsMs + withinMs + 1_000);
      expect(failedMs).toBeLessThan(100_000);
      expect(firstMs).toBeGreaterThan(healsMs);
      expect(firstMs).toBeLessThan(healsMs + withinMs);
    }),
);

test.each([
  { limit: 3, mailMs: 100, consumers: [1, 1], refusal: "closed" },
  { limit: 3, mailMs: 100, consumers: [1, 3], refusal: "421" },
  { limit: 10, mailMs: 300, consumers: [2, 3], refusal: "closed" },
] as const)("a group that is refused each connection leaves another one what it cannot have: %j", (scenario) =>
  shareInVirtualTime(async ({ ms, start, until }) => {
    const { limit, mailMs, consumers, refusal } = scenario;
    const server = aLimitedServer({ limit, mailMs });
    const unreachable = aLimitedServer({ limit: 0, mailMs, greetingMs: 1, refusal });
    const [fromMs, forMs] = [20_000, 60_000];
    let accepted = 0;
    const onAccepted = () => {
      if (ms() >= fromMs) accepted += 1;
    };
    [server, unreachable].forEach(({ open: openSession }, index) => {
      for (let consumer = 0; consumer < (consumers[index] ?? 0); consumer += 1) {
        start({ group: `group-${index}`, size: SIZE, openSession, onAccepted });
      }
    });
    await until(forMs);
    expect(accepted / ((limit * (forMs - fromMs)) / (mailMs + 2))).toBeGreaterThan(0.85);
  }),
);

test.each([
  [2, 300],
  [2, 1_500],
  [10, 1_500],
])(
  "of %d connections each of two groups has its share, though the server counts one for %d ms after it was closed",
  (limit, countedMs) =>
    shareInVirtualTime(async ({ ms, start, until }) => {
      const server = aLimitedServer({ limit: 1_000, mailMs: 300, countedMs });
      const [fromMs, forMs] = [10_000, 60_000];
      const groups = [0, 1].map(() => ({ lastMs: fromMs, gapMs: 0 }));
      groups.forEach((group, index) => {
        const onAccepted = () => {
          if (ms() < fromMs) return;
          group.gapMs = Math.max(group.gapMs, ms() - group.lastMs);
          group.lastMs = ms();
        };
        start({ group: `group-${index}`, size: SIZE, openSession: server.open, onAccepted });
      });
      await until(fromMs);
      server.setLimit(limit);
      await until(forMs);
      for (const { gapMs, lastMs } of groups) expect(Math.max(gapMs, forMs - lastMs)).toBeLessThan(10_000);
    }),
);

test.each(["closed", "421"] as const)(
  "a group that has connections keeps one where new ones are refused to everybody: %s",
  (refusal) =>
    shareInVirtualTime(async ({ ms, start, until }) => {
      const server = aLimitedServer({ limit: 3, mailMs: 100, refusal });
      const full = aLimitedServer({ limit: 0, mailMs: 100, greetingMs: 1, refusal });
      const [fromMs, untilMs] = [30_000, 130_000];
      const openSession = (...asked: Parameters<typeof server.open>) =>
        (ms() >= fromMs && ms() < untilMs ? full : server).open(...asked);
      let lastMs = 0;
      let gapMs = 0;
      const onAccepted = () => {
        gapMs = Math.max(gapMs, ms() - lastMs);
        lastMs = ms();
      };
      start({ group: "first", size: SIZE, openSession, onAccepted });
      await until(fromMs + 5_000);
      start({ group: "later", size: SIZE, openSession, onAccepted });
      await until(untilMs);
      expect(Math.max(gapMs, ms() - lastMs)).toBeLessThan(2_000);
    }),
);
