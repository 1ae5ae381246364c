import { describe, expect, jest, test } from "bun:test";
import { silentLog } from "../../../tests/pipeline.ts";
import { startSharing } from "../../engine/sharing.ts";
import { aLimitedServer, aTable, consume, type ServerScenario } from "./limited-server-for-tests.ts";
import { createSmtpPool } from "./pool.ts";
import { passTime } from "./virtual-time-for-tests.ts";

/**
 * Pools against a mail server that grants few connections, in virtual time: minutes of many limits take a second. What is real is
 * the pool with its policy; connections, the engine around it and the time are simulated.
 */
interface Scenario extends Omit<ServerScenario, "limit"> {
  /** Connections that the server grants, all consumers together; a second one: by turns, each for `everyMs`. */
  readonly limits: readonly [number, number?];
  readonly everyMs?: number;
  readonly consumers: number;
  readonly size?: number;
  /** From a mail's end to the first command of the next: recording, reading, claiming, building. */
  readonly claimMs?: number;
  readonly runMs?: number;
}

interface Outcome {
  /** Of what the server could take. */
  readonly share: number;
  /** Connections that were refused, a second and consumer. */
  readonly refusedPerSecond: number;
  readonly accepted: number;
  /** Mails that failed otherwise than by being released. */
  readonly failed: number;
  /** Of them those after the warm-up. */
  readonly failedLater: number;
}

const FOR_MS = 30_000;
/** Not counted: until each consumer has its share. */
const WARM_UP_MS = 5_000;
/** From a mail's end to the first command of the next, on a machine that is not busy. */
const CLAIM_MS = 40;
const simulate = async (scenario: Scenario): Promise<Outcome> => {
  jest.useFakeTimers();
  try {
    const { limits, consumers, mailMs, size = 20, tripMs = 1, claimMs = CLAIM_MS, runMs = FOR_MS } = scenario;
    const { everyMs = runMs } = scenario;
    const [first, second = first] = limits;
    const server = aLimitedServer({ ...scenario, limit: first });
    const stopping = new AbortController();
    const openSession = server.open;
    const { signal } = stopping;
    const table = aTable();
    let failed = 0;
    const onFailed = () => {
      failed += 1;
    };
    for (let index = 0; index < consumers; index += 1) {
      const target = { host: "mail.example", port: 25, tls: "none" } as const;
      const pool = createSmtpPool({ server: target, size, sendDeadlineMs: 30_000, openSession });
      startSharing({ table, group: "group", log: silentLog, signal }, { pool: `pool ${index}`, places: pool.places });
      void consume(pool, { size, claimMs, signal, onFailed });
    }
    await passTime(WARM_UP_MS);
    const failedFirst = failed;
    const before = { ...server.counts };
    let possible = 0;
    for (let ms = 0, limit = first; ms < runMs; ms += everyMs, limit = limit === first ? second : first) {
      server.setLimit(limit);
      const lastsMs = Math.min(everyMs, runMs - ms);
      possible += (lastsMs * Math.min(limit, consumers * size)) / (mailMs + 2 * tripMs);
      await passTime(lastsMs);
    }
    stopping.abort();
    return {
      share: (server.counts.accepted - before.accepted) / possible,
      refusedPerSecond: (server.counts.refused - before.refused) / (runMs / 1_000) / consumers,
      accepted: server.counts.accepted - before.accepted,
      failed,
      failedLater: failed - failedFirst,
    };
  } finally {
    jest.clearAllTimers();
    jest.useRealTimers();
  }
};

describe("of what a server with a limit can take, pools send", () => {
  test.each<Scenario>([
    { limits: [1], consumers: 1, mailMs: 100 },
    { limits: [1], consumers: 4, mailMs: 100 },
    { limits: [1], consumers: 4, mailMs: 500 },
    { limits: [2], consumers: 3, mailMs: 100 },
    { limits: [7], consumers: 4, mailMs: 50 },
    { limits: [10], consumers: 2, mailMs: 100, atMailFrom: true },
    { limits: [50], consumers: 2, mailMs: 500, tripMs: 50 },
    { limits: [200], consumers: 4, mailMs: 1_000, size: 100 },
  ])("all but a twentieth, and ask for few connections beyond: %j", async (scenario) => {
    const { share, refusedPerSecond, failed } = await simulate(scenario);
    expect(share).toBeGreaterThan(0.95);
    expect(refusedPerSecond).toBeLessThan(3);
    expect(failed).toBe(0);
  });

  test.each<Scenario>([
    { limits: [5], consumers: 2, mailMs: 250, replyAtMailFrom: "421 4.3.2 not now" },
    { limits: [5], consumers: 2, mailMs: 250, replyAtMailFrom: "451 4.7.1 try again later" },
    { limits: [16], consumers: 2, mailMs: 500, replyAtMailFrom: "450 4.7.1 not now" },
    { limits: [5], consumers: 1, mailMs: 250, replyAtMailFrom: "452 4.3.1 not now" },
    { limits: [5], consumers: 2, mailMs: 250, replyAtMailFrom: "452 4.5.3 too many connections" },
    { limits: [5], consumers: 2, mailMs: 250, replyAtMailFrom: "452 4.5.3 too many recipients" },
  ])("all but a twentieth where one too many is refused its first mail, in whatever words: %j", async (scenario) => {
    const { share, refusedPerSecond, failed } = await simulate({ ...scenario, atMailFrom: true });
    expect(share).toBeGreaterThan(0.95);
    expect(refusedPerSecond).toBeLessThan(8);
    expect(failed).toBe(0);
  });

  test.each<Scenario>([
    { limits: [10], consumers: 1, mailMs: 100, claimMs: 150 },
    { limits: [3], consumers: 4, mailMs: 300, claimMs: 350 },
    { limits: [10], consumers: 4, mailMs: 100, claimMs: 250 },
    { limits: [5], consumers: 2, mailMs: 20, claimMs: 80 },
  ])("all but a tenth where recording and claiming take long: %j", async (scenario) => {
    const { share, failed } = await simulate(scenario);
    expect(share).toBeGreaterThan(0.9);
    expect(failed).toBe(0);
  });

  test("all but a twentieth where it greets after six seconds", async () => {
    const { share, failed } = await simulate({ limits: [20], consumers: 1, mailMs: 100, greetingMs: 6_000 });
    expect(share).toBeGreaterThan(0.93);
    expect(failed).toBe(0);
  });

  test("four fifths where it does not greet every second connection: that is no limit", async () => {
    const { share, failed } = await simulate({ limits: [100], consumers: 1, mailMs: 100, silentEach: 2 });
    expect(share).toBeGreaterThan(0.8);
    expect(failed).toBe(0);
  });

  test.each<[number, Scenario]>([
    [0.8, { limits: [10, 30], everyMs: 1_000, consumers: 2, mailMs: 200 }],
    [0.87, { limits: [10, 30], everyMs: 2_700, consumers: 2, mailMs: 200 }],
    [0.89, { limits: [10, 30], everyMs: 2_700, consumers: 2, mailMs: 200, atMailFrom: true }],
    [0.76, { limits: [1, 9], everyMs: 2_700, consumers: 3, mailMs: 100 }],
    [0.9, { limits: [10, 30], everyMs: 5_000, consumers: 2, mailMs: 200 }],
    [0.95, { limits: [4, 16], everyMs: 10_000, consumers: 2, mailMs: 500 }],
  ])("%d although the limit changes: %j", async (least, scenario) => {
    const { share, refusedPerSecond, failed } = await simulate(scenario);
    expect(share).toBeGreaterThan(least);
    expect(refusedPerSecond).toBeLessThan(12);
    expect(failed).toBe(0);
  });

  test.each<Scenario>([
    { limits: [7], consumers: 2, mailMs: 100, greetingMs: 20, mailsPerConnection: 1 },
    { limits: [7], consumers: 2, mailMs: 100, greetingMs: 20, mailsPerConnection: 10 },
    { limits: [7], consumers: 4, mailMs: 100, greetingMs: 20, mailsPerConnection: 1 },
  ])("all, where the server closes connections after some mails, and ask for few beyond: %j", async (scenario) => {
    const { mailMs, mailsPerConnection = 1 } = scenario;
    const { share, refusedPerSecond, failed } = await simulate(scenario);
    const openingMs = (20 + 40) / mailsPerConnection;
    expect(share).toBeGreaterThan((0.9 * mailMs) / (mailMs + openingMs));
    expect(refusedPerSecond).toBeLessThan(3);
    expect(failed).toBe(0);
  });

  test.each([
    [0.65, 1],
    [0.65, 2],
    [0.5, 4],
  ])(
    "%d of what it allows, where it grants so many connections a minute, and counts those that it refuses, %i consumers",
    async (least, consumers) => {
      const [perMinute, mailsPerConnection, minutes] = [60, 5, 8];
      const rate = { perMinute, mailsPerConnection };
      const scenario = { limits: [1_000], consumers, mailMs: 100, ...rate, runMs: minutes * 60_000 } as const;
      const { accepted, refusedPerSecond, failed } = await simulate(scenario);
      expect(accepted).toBeGreaterThan(least * minutes * perMinute * mailsPerConnection);
      expect(refusedPerSecond).toBeLessThan(0.5);
      expect(failed).toBe(0);
    },
    60_000,
  );
});

describe("of what a server can take that turns away one too many where it hears the recipient, or before the body", () => {
  test.each<Scenario & { readonly at: "RCPT TO" | "DATA" }>([
    { limits: [10], consumers: 1, mailMs: 250, at: "RCPT TO" },
    { limits: [10], consumers: 2, mailMs: 250, at: "RCPT TO" },
    { limits: [5], consumers: 2, mailMs: 250, at: "RCPT TO", replyAtMailFrom: "452 4.5.3 too many recipients" },
    { limits: [3], consumers: 4, mailMs: 300, at: "RCPT TO", replyAtMailFrom: "452 4.5.3 too many recipients" },
    { limits: [8], consumers: 2, mailMs: 400, at: "RCPT TO", replyAtMailFrom: "451 4.7.1 too many connections" },
    { limits: [8], consumers: 1, mailMs: 400, at: "RCPT TO", replyAtMailFrom: "451 4.7.1 not now" },
    { limits: [1], consumers: 2, mailMs: 400, at: "RCPT TO", replyAtMailFrom: "450 4.7.1 not now" },
    { limits: [6], consumers: 2, mailMs: 300, at: "DATA" },
  ])("%j: pools send nine tenths, and next to no mail is refused for good", async (scenario) => {
    const { share, failedLater } = await simulate({ ...scenario, atMailFrom: true });
    expect(share).toBeGreaterThan(0.85);
    expect(failedLater).toBeLessThan(5);
  });
});

test.each<Scenario>([
  { limits: [1], consumers: 2, mailMs: 500, refusal: "silent" },
  { limits: [2], consumers: 4, mailMs: 500, refusal: "silent" },
  { limits: [2], consumers: 4, mailMs: 300, refusal: "silent" },
  { limits: [16], consumers: 2, mailMs: 500, refusal: "silent" },
])(
  "of what a server can take that does not greet one too many, pools send nine tenths, and fail no mail: %j",
  async (scenario) => {
    const { share, failed } = await simulate({ ...scenario, runMs: 90_000 });
    expect(share).toBeGreaterThan(0.9);
    expect(failed).toBe(0);
  },
);
