import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { randomHex } from "../observability/trace-context.ts";
import { redisUrl, silentLog } from "../tests/pipeline.ts";
import { openCommandConnection, untilReady } from "./connection.ts";
import { keysOf } from "./keys.ts";
import { type QuotaLimit, type QuotaRequest, takeQuotas } from "./scripts/take-quota.ts";

const redis = openCommandConnection({ url: redisUrl(), name: "quotas", log: silentLog, commandTimeoutMs: 5_000 });
beforeAll(() => untilReady(redis, 5_000));
afterAll(() => redis.disconnect());

const START = 1_800_000_000_000;
const HOUR = 3_600_000;

/** Quotas of a test's own, with a clock of its own. */
const someQuotas = (...limits: readonly number[]) => {
  const keys = keysOf(`test-${randomHex(6)}`);
  let atMs = START;
  const quotas = limits.map((limit, index) => ({
    limit,
    windowMs: HOUR,
    keys: {
      only: keys.quotaOnly(`q${index}`),
      counted: keys.quota(`q${index}`),
      refused: keys.quotaRefused(`q${index}`),
    },
  }));
  const request = (piece: string, isForced = false): QuotaRequest => ({ piece, isForced, quotas });
  return {
    pass: (ms: number) => (atMs += ms),
    /** Lets a window pass, for the keys that Redis expires, too. */
    passWindow: async () => {
      atMs += HOUR;
      await redis.del(...quotas.map(({ keys: { refused } }) => refused));
    },
    quotas,
    ask: (...pieces: readonly string[]) =>
      takeQuotas(
        redis,
        pieces.map((piece) => request(piece)),
        atMs,
      ),
    force: (piece: string) => takeQuotas(redis, [request(piece, true)], atMs),
    withLimit: (piece: string, limit: QuotaLimit) =>
      takeQuotas(redis, [{ ...request(piece), quotas: quotas.map((quota) => ({ ...quota, ...limit })) }], atMs),
  };
};

const counted = { kind: "counted" } as const;
const usedUp = (waitMs: number, index = 0) => ({ kind: "used-up", index, waitMs }) as const;

describe("a quota", () => {
  test("counts as many pieces as its limit in any window, over batches and callers", async () => {
    const { ask, pass } = someQuotas(3);
    expect(await ask("a", "b")).toEqual([counted, counted]);
    pass(1_000);
    expect(await ask("c", "d")).toEqual([counted, usedUp(HOUR - 1_000)]);
    pass(HOUR - 1_001);
    expect(await ask("e")).toEqual([usedUp(1)]);
    pass(1);
    // The first two have left the window; the third has not.
    expect(await ask("f", "g", "h")).toEqual([counted, counted, usedUp(1_000)]);
  });

  test("counts a piece once in a window, however often it asks: a retry, a claim, a lost answer", async () => {
    const { ask, pass } = someQuotas(1);
    expect(await ask("a", "a")).toEqual([counted, counted]);
    pass(HOUR - 1);
    expect(await ask("a")).toEqual([counted]);
    pass(1);
    // Its retry counts again, in the next window.
    expect(await ask("a", "b")).toEqual([counted, usedUp(HOUR)]);
  });

  test("counts a piece from its last attempt, if its window is over by then", async () => {
    const { ask, pass } = someQuotas(2);
    await ask("a");
    pass(HOUR);
    expect(await ask("a")).toEqual([counted]);
    pass(1);
    expect(await ask("b", "c")).toEqual([counted, usedUp(HOUR - 1)]);
  });

  test("counts a piece in all of its quotas or in none, and says which is used up", async () => {
    const { ask, quotas } = someQuotas(5, 1);
    const [roomy, full] = quotas.map((quota) => ({ ...quota.keys }));
    expect(await ask("a", "b")).toEqual([counted, usedUp(HOUR, 1)]);
    expect(await redis.zcard(roomy?.counted ?? "")).toBe(1);
    await redis.del(roomy?.only ?? "", roomy?.counted ?? "");
    // In the first quota it would be the first.
    expect(await ask("c")).toEqual([usedUp(2 * HOUR, 1)]);
    expect(await redis.exists(roomy?.only ?? "", roomy?.counted ?? "", full?.only ?? "")).toBe(1);
  });

  test("keeps a single piece in a string, which a second one turns into a sorted set", async () => {
    const { ask, quotas } = someQuotas(3);
    const { only, counted: all } = quotas[0]?.keys ?? { only: "", counted: "" };
    await ask("welcome-email a");
    expect(await redis.get(only)).toBe(`${START} welcome-email a`);
    expect(await redis.exists(all)).toBe(0);
    await ask("reminder-email b");
    expect(await redis.get(only)).toBe("*");
    expect(await redis.zrange(all, "0", "-1")).toEqual(["reminder-email b", "welcome-email a"]);
  });

  test("tells as many as its limit to come back after each window", async () => {
    const { ask, passWindow } = someQuotas(2);
    const answers = await ask(..."abcdefg");
    expect(answers.slice(2)).toEqual([
      usedUp(HOUR),
      usedUp(HOUR),
      usedUp(2 * HOUR),
      usedUp(2 * HOUR),
      usedUp(3 * HOUR),
    ]);
    await passWindow();
    expect(await ask("c", "d", "x")).toEqual([counted, counted, usedUp(HOUR)]);
    await passWindow();
    expect(await ask("e", "f")).toEqual([counted, counted]);
    // However many: after a day it asks again.
    const longest = (await ask(...Array.from({ length: 100 }, (_, index) => `many ${index}`))).at(-1);
    expect(longest).toEqual(usedUp(25 * HOUR));
  });

  test("counts a piece that is forced beyond its limit, and remembers it", async () => {
    const { ask, force } = someQuotas(1);
    expect(await ask("a")).toEqual([counted]);
    expect(await force("b")).toEqual([counted]);
    expect(await ask("b", "c")).toEqual([counted, usedUp(HOUR)]);
  });

  test("waits for room under a limit that was lowered", async () => {
    const { ask, pass, withLimit } = someQuotas(3);
    for (const piece of ["a", "b", "c"]) {
      await ask(piece);
      pass(1_000);
    }
    expect(await withLimit("d", { limit: 2, windowMs: HOUR })).toEqual([usedUp(HOUR - 2_000)]);
  });

  test("leaves nothing behind once its window is over", async () => {
    const { ask, quotas } = someQuotas(1);
    await ask("a", "a", "b");
    for (const key of Object.values(quotas[0]?.keys ?? {})) {
      const ttl = await redis.pttl(key);
      expect(ttl).toBeGreaterThan(0);
      expect(ttl).toBeLessThanOrEqual(HOUR);
    }
  });
});
