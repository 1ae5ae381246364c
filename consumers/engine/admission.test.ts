import { describe, expect, test } from "bun:test";
import { pausesOf } from "../../database/groups/pauses.ts";
import { budgetOf, WELCOME_EMAIL } from "../../stream/groups.ts";
import { pauseGroup } from "../../stream/pauses.ts";
import { eventually } from "../../tests/eventually.ts";
import { aMailGroup, aPipeline, aSignup, type MailWork, type Pipeline, silentLog } from "../../tests/pipeline.ts";
import { createAdmission, shareOf } from "./admission.ts";

const BUDGET = { name: "work", limits: { perSecond: 10, perDay: 0 }, priority: 0 };

describe("the share of a consumer", () => {
  test.each([
    [{ perSecond: 10, perDay: 0 }, 1, 5, 2],
    [{ perSecond: 10, perDay: 0 }, 0.5, 5, 1],
    [{ perSecond: 0, perDay: 86_400 }, 0.5, 4, 0.25],
    [{ perSecond: 10, perDay: 86_400 }, 1, 1, 1],
  ] as const)("of %j at %p among %p consumers is %p a second", (limits, factor, consumers, share) => {
    expect(shareOf(limits, factor, consumers)).toBe(share);
  });
});

describe("admission", () => {
  test("keeps to its share among the last known consumers while the budget does not answer", async () => {
    await using pipeline = await aPipeline([]);
    const { redis, keys } = pipeline;
    let nowMs = 0;
    const deps = { redis, keys, group: "g", now: () => nowMs, log: silentLog };
    const [a, b] = [
      createAdmission({ ...deps, consumer: "a" }, BUDGET),
      createAdmission({ ...deps, consumer: "b" }, BUDGET),
    ];
    await a.fill(1);
    await b.fill(1);
    b.spend();
    await redis.set(keys.budget("work"), "not a budget");

    // Two consumers share ten a second.
    let taken = 0;
    for (; nowMs <= 10_000; nowMs += 50) {
      if ((await b.fill(1)) > 0) {
        b.spend();
        taken += 1;
      }
    }
    expect(taken).toBeGreaterThan(45);
    expect(taken).toBeLessThanOrEqual(50);

    await redis.del(keys.budget("work"));
    expect(await b.fill(2)).toBe(2);
  });

  test("gives back what it does not use, for any consumer", async () => {
    await using pipeline = await aPipeline([]);
    const { redis, keys } = pipeline;
    const deps = { redis, keys, group: "g", now: () => 0, log: silentLog };
    const budget = { ...BUDGET, limits: { perSecond: 0, perDay: 10 } };
    const [a, b] = [
      createAdmission({ ...deps, consumer: "a" }, budget),
      createAdmission({ ...deps, consumer: "b" }, budget),
    ];
    expect(await a.fill(10)).toBe(10);
    expect(await b.fill(1)).toBe(0);
    a.spend();
    await a.giveBack(2);
    expect(await b.fill(10)).toBe(7);
  });

  test("lowers the rate when the work is too fast", async () => {
    await using pipeline = await aPipeline([]);
    const { redis, keys } = pipeline;
    const admission = createAdmission({ redis, keys, group: "g", consumer: "a", now: () => 0, log: silentLog }, BUDGET);
    expect(admission.ratePerSecond).toBe(10);
    admission.slowDown();
    await eventually(() => admission.ratePerSecond === 5);
  });
});

describe("a rate that is ordered", () => {
  const UNLIMITED = { ...BUDGET, limits: { perSecond: 0, perDay: 0 } };

  test("limits what was not limited: what is in flight pays for itself first; and then it is unlimited again", async () => {
    await using pipeline = await aPipeline([]);
    const { redis, keys } = pipeline;
    const admission = createAdmission(
      { redis, keys, group: "g", consumer: "a", now: () => 0, log: silentLog },
      UNLIMITED,
    );
    expect([admission.isLimited, await admission.fill(1_000)]).toEqual([false, Number.POSITIVE_INFINITY]);
    admission.spend();
    admission.follow(8);
    expect([admission.isLimited, admission.ratePerSecond]).toEqual([true, 8]);
    // Of a bucket of half a second, a slice of a quarter.
    expect(await admission.fill(100)).toBe(2);
    admission.follow(undefined);
    expect([admission.isLimited, await admission.fill(1_000)]).toEqual([false, Number.POSITIVE_INFINITY]);
    expect(admission.ratePerSecond).toBeUndefined();
  });

  test("replaces that of the settings, and the limit of a day stays", async () => {
    await using pipeline = await aPipeline([]);
    const { redis, keys } = pipeline;
    const admission = createAdmission(
      { redis, keys, group: "g", consumer: "a", now: () => 0, log: silentLog },
      { ...BUDGET, limits: { perSecond: 10, perDay: 3 } },
    );
    admission.follow(100);
    expect([await admission.fill(50), admission.ratePerSecond]).toEqual([3, 100]);
    admission.follow(undefined);
    expect(admission.ratePerSecond).toBe(10);
  });
});

describe("a consumer that may not read", () => {
  const DAY = { ...BUDGET, limits: { perSecond: 0, perDay: 20 } };
  const released = { kind: "released", reason: "not_now" } as const;

  const aConsumer = (pipeline: Pipeline, work: MailWork) =>
    pipeline.start((db) => ({ ...aMailGroup(db, work), budget: DAY }));

  const peerOf = ({ redis, keys }: Pipeline) =>
    createAdmission(
      { redis, keys, group: "g", consumer: "peer", now: () => performance.now(), log: silentLog },
      { ...DAY, name: budgetOf(WELCOME_EMAIL) },
    );

  test("holds no tokens while its group is paused", async () => {
    await using pipeline = await aPipeline();
    const { promise: gate, resolve: open } = Promise.withResolvers<typeof released>();
    const consumer = await aConsumer(pipeline, () => gate);
    await pipeline.signUp(...Array.from({ length: 5 }, () => aSignup()));
    await eventually(() => consumer.inFlight() === 5);
    const { db, redis, keys } = pipeline;
    await pauseGroup({ pauses: pausesOf(db), redis, keys }, { group: "welcome-email", reason: null, by: "test" });
    await eventually(() => consumer.state() === "paused");
    open(released);
    const peer = peerOf(pipeline);
    await eventually(async () => (await peer.fill(20)) === 20);
  });

  test.each([
    [15, "the five that failed have used theirs", false],
    [20, "of five that were not put to the other system, as there was no connection, they are good for others", true],
  ])("holds no tokens while its breaker is open: %d are left, %s", async (left, _, isUnreached) => {
    await using pipeline = await aPipeline();
    let started = 0;
    const { promise: allStarted, resolve } = Promise.withResolvers<void>();
    const consumer = await aConsumer(pipeline, async (_claim, _recipient, { signal }) => {
      started += 1;
      const isFailing = started <= 5;
      if (started === 10) resolve();
      await allStarted;
      if (isFailing) return { kind: "unavailable", reason: "connection_refused", isUnreached };
      await new Promise((aborted) => signal.addEventListener("abort", aborted));
      return released;
    });
    await pipeline.signUp(...Array.from({ length: 10 }, () => aSignup()));
    await eventually(() => consumer.breaker() === "open");
    const peer = peerOf(pipeline);
    await eventually(async () => (await peer.fill(20)) === left);
  });
});
