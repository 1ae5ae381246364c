import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { randomHex } from "../observability/trace-context.ts";
import { redisUrl, silentLog } from "../tests/pipeline.ts";
import { openCommandConnection, untilReady } from "./connection.ts";
import { keysOf } from "./keys.ts";
import { type BudgetLimits, type BudgetRequest, takeBudget } from "./scripts/take-budget.ts";

const redis = openCommandConnection({ url: redisUrl(), name: "budget", log: silentLog, commandTimeoutMs: 5_000 });
beforeAll(() => untilReady(redis, 5_000));
afterAll(() => redis.disconnect());

const START = 1_800_000_000_000;
const HOUR = 3_600_000;

/** A budget of a test's own, with a clock of its own. */
const aBudget = (limits: Partial<BudgetLimits>) => {
  const keys = keysOf(`test-${randomHex(6)}`);
  const names = { budget: keys.budget("work"), consumers: keys.budgetConsumers("work") };
  let atMs = START;
  return {
    pass: (ms: number) => (atMs += ms),
    ask: (request: Partial<BudgetRequest> = {}) =>
      takeBudget(
        redis,
        names,
        { perSecond: 0, perDay: 0, ...limits },
        { consumer: "a", priority: 0, wanted: 1, atMs, ...request },
      ),
    keys: names,
  };
};

describe("a budget per second", () => {
  test("grants its rate over time to all consumers together", async () => {
    const { ask, pass } = aBudget({ perSecond: 20 });
    let granted = 0;
    for (let turn = 0; turn < 1_000; turn += 1) {
      for (const consumer of ["a", "b", "c"]) granted += (await ask({ consumer, wanted: 20 })).granted;
      pass(10);
    }
    // Ten seconds, and half a second that the bucket held at the start.
    expect(granted).toBeGreaterThanOrEqual(205);
    expect(granted).toBeLessThanOrEqual(210);
  });

  test("says when to ask again", async () => {
    const { ask, pass } = aBudget({ perSecond: 2 });
    expect(await ask()).toMatchObject({ granted: 1 });
    const { granted, waitMs } = await ask();
    expect({ granted, waitMs }).toEqual({ granted: 0, waitMs: 500 });
    pass(waitMs);
    expect(await ask()).toMatchObject({ granted: 1 });
  });

  test("takes unused tokens back, for any consumer", async () => {
    const { ask } = aBudget({ perSecond: 2 });
    await ask();
    expect(await ask({ wanted: 0, givenBack: 1 })).toMatchObject({ granted: 0 });
    expect(await ask({ consumer: "b" })).toMatchObject({ granted: 1, consumers: 2 });
  });

  test("counts the consumers of the last minute", async () => {
    const { ask, pass } = aBudget({ perSecond: 10 });
    await ask({ consumer: "a" });
    expect(await ask({ consumer: "b" })).toMatchObject({ consumers: 2 });
    pass(61_000);
    expect(await ask({ consumer: "b" })).toMatchObject({ consumers: 1 });
  });
});

describe("a budget per day", () => {
  test("is never exceeded within 24 hours, and is whole again after them", async () => {
    const { ask, pass } = aBudget({ perDay: 10 });
    expect(await ask({ wanted: 20 })).toMatchObject({ granted: 10 });
    pass(24 * HOUR - 1);
    expect(await ask()).toMatchObject({ granted: 0, waitMs: 5_000 });
    pass(HOUR);
    expect(await ask({ wanted: 20 })).toMatchObject({ granted: 10 });
  });

  test("takes unused tokens back", async () => {
    const { ask } = aBudget({ perDay: 10 });
    await ask({ wanted: 10 });
    await ask({ wanted: 0, givenBack: 4 });
    expect(await ask({ wanted: 10 })).toMatchObject({ granted: 4 });
  });
});

describe("priorities", () => {
  test("a tenth of the day is kept for the first", async () => {
    const { ask } = aBudget({ perDay: 20 });
    expect(await ask({ consumer: "b", priority: 1, wanted: 30 })).toMatchObject({ granted: 18 });
    expect(await ask({ wanted: 30 })).toMatchObject({ granted: 2 });
  });

  test("a lower one has a tenth while a higher one waits, and all when it does not", async () => {
    const { ask, pass } = aBudget({ perSecond: 10 });
    const granted = { first: 0, second: 0 };
    for (let turn = 0; turn < 1_000; turn += 1) {
      granted.second += (await ask({ consumer: "b", priority: 1, wanted: 5 })).granted;
      granted.first += (await ask({ wanted: 5 })).granted;
      pass(20);
    }
    expect(granted.second).toBeGreaterThanOrEqual(15);
    expect(granted.second).toBeLessThanOrEqual(30);
    expect(granted.first + granted.second).toBeGreaterThanOrEqual(200);
    pass(2_000);
    let alone = 0;
    for (let turn = 0; turn < 500; turn += 1) {
      alone += (await ask({ consumer: "b", priority: 1, wanted: 5 })).granted;
      pass(20);
    }
    expect(alone).toBeGreaterThanOrEqual(100);
  });
});

describe("a reply that says `too fast`", () => {
  test("halves the rate, once in five seconds; it regains 5 % in ten seconds", async () => {
    const { ask, pass } = aBudget({ perSecond: 100 });
    const tooFast = () => ask({ wanted: 0, isTooFast: true });
    expect((await tooFast()).factor).toBe(0.5);
    expect((await tooFast()).factor).toBe(0.5);
    pass(10_000);
    expect((await ask({ wanted: 0 })).factor).toBe(0.55);
    expect((await tooFast()).factor).toBe(0.275);
    pass(200_000);
    expect((await ask({ wanted: 0 })).factor).toBe(1);
  });

  test("never lowers it to nothing", async () => {
    const { ask, pass } = aBudget({ perSecond: 100 });
    for (let times = 0; times < 20; times += 1) {
      await ask({ wanted: 0, isTooFast: true });
      pass(5_000);
    }
    expect((await ask({ wanted: 0 })).factor).toBeGreaterThan(0.01);
  });
});

test("a key of another type is an error, and nothing is written", async () => {
  const { ask, keys } = aBudget({ perSecond: 1 });
  await redis.set(keys.budget, "text");
  await expect(ask()).rejects.toThrow("WRONGTYPE");
  expect(await redis.exists(keys.consumers)).toBe(0);
  await redis.del(keys.budget);
});
