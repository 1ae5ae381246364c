import { expect, test } from "bun:test";
import { Redis } from "ioredis";
import { keysOf } from "../../stream/keys.ts";
import { eventually } from "../../tests/eventually.ts";
import { redisUrl, silentLog } from "../../tests/pipeline.ts";
import { Breaker } from "./breaker.ts";
import { createProbes, harmfulProbeEveryMs } from "./probes.ts";

test("who is asked at the risk of harm is asked after 4 s, then twice as long, up to two minutes", () => {
  expect([1, 2, 3, 4, 5, 6, 7, 1_000].map(harmfulProbeEveryMs)).toEqual([
    ...[4_000, 8_000, 16_000, 32_000],
    ...[64_000, 120_000, 120_000, 120_000],
  ]);
});

/** Consumers of one group whose logins are refused, at a time that stands still until it is let pass, as Redis' does. */
const aGroup = ({ isAnswered = true } = {}) => {
  const redis = new Redis(redisUrl());
  const away = new Redis(redisUrl(), { lazyConnect: true, enableOfflineQueue: false });
  const [keys, group] = [keysOf(`probes-${Bun.randomUUIDv7()}`), "group"];
  const key = keys.probes(group);
  let nowMs = 0;
  /** Of the permit in Redis. Its time passes as ours: on a busy machine a second of Redis' own is a few questions. */
  let leftMs = 0;
  const now = () => nowMs;
  const aConsumer = () => {
    const breaker = new Breaker({ concurrency: 8, now, random: () => 1, onChange: () => {} });
    const refuse = () => breaker.failed({ reason: "auth", isHarmful: true }, { eventId: "x", party: undefined });
    refuse();
    refuse();
    const inFlight: { isProbe: boolean }[] = [];
    const probes = createProbes({
      ...{ redis: isAnswered ? redis : away, keys, group, breaker, log: silentLog, now },
      inFlight: { attempts: () => inFlight },
    });
    return {
      probes,
      begin: () => void inFlight.push({ isProbe: true }),
      refuse: () => {
        inFlight.pop();
        refuse();
      },
      /** Whether it may probe now. */
      ask: async () => {
        if (leftMs > 0) await redis.pexpire(key, leftMs);
        await probes.ask();
        // All times here are whole seconds.
        leftMs = Math.max(0, Math.ceil((await redis.pttl(key)) / 1_000) * 1_000);
        await redis.persist(key);
        return breaker.allowance() === 1;
      },
    };
  };
  return {
    aConsumer,
    now,
    asked: () => redis.get(key).then(Number),
    pass: async (ms: number) => {
      nowMs += ms;
      leftMs = Math.max(0, leftMs - ms);
      if (leftMs === 0) await redis.del(key);
    },
    [Symbol.asyncDispose]: async () => {
      away.disconnect();
      await redis.quit();
    },
  };
};

test("one consumer of a group may ask, and the next one goes on from there; once it works, everybody may", async () => {
  await using group = aGroup();
  const [one, other] = [group.aConsumer(), group.aConsumer()];
  await group.pass(4_000);
  expect([await one.ask(), await other.ask()]).toEqual([true, false]);
  one.refuse();
  expect([await one.ask(), await group.asked()]).toEqual([false, 1]);
  await group.pass(2_000);
  expect(await other.ask()).toBe(false);
  await group.pass(2_000);
  expect([await other.ask(), await one.ask()]).toEqual([true, false]);
  other.refuse();
  expect([await other.ask(), await group.asked()]).toEqual([false, 2]);
  await group.pass(7_000);
  expect([await other.ask(), await one.ask()]).toEqual([false, false]);
  other.probes.work();
  await group.pass(4_000);
  expect(await one.ask()).toBe(true);
});

test("the first piece that a consumer does since it started shows the others that the system works", async () => {
  await using group = aGroup();
  const [one, other] = [group.aConsumer(), group.aConsumer()];
  for (const restMs of [4_000, 4_000]) {
    await group.pass(restMs);
    expect(await one.ask()).toBe(true);
    one.refuse();
    await one.ask();
  }
  await group.pass(2_000);
  expect(await other.ask()).toBe(false);
  const started = group.aConsumer();
  started.probes.done();
  await eventually(async () => (await group.asked()) === 0);
  // Of the eight seconds that it would rest, four have passed.
  await group.pass(2_000);
  expect(await other.ask()).toBe(true);
  other.refuse();
  await other.ask();
  started.probes.done();
  await group.pass(2_000);
  expect(await one.ask()).toBe(false);
});

test("a permit whose holder dies, or has nothing to ask with, is another's after 10 s, however rare permits are", async () => {
  await using group = aGroup();
  const [one, other] = [group.aConsumer(), group.aConsumer()];
  for (let asked = 0; asked < 7; asked += 1) {
    await group.pass(120_000);
    expect(await one.ask()).toBe(true);
    one.refuse();
    await one.ask();
  }
  // What was refused is not asked again, whether or not its holder lives.
  await group.pass(115_000);
  expect(await other.ask()).toBe(false);
  await group.pass(5_000);
  expect(await one.ask()).toBe(true);
  one.begin();
  await group.pass(5_000);
  await one.ask();
  // Here it dies.
  await group.pass(6_000);
  expect(await other.ask()).toBe(false);
  await group.pass(4_000);
  expect(await other.ask()).toBe(true);
  // Nothing was asked with that one, so it rests as long as before.
  await group.pass(10_000);
  expect([await group.aConsumer().ask(), await other.ask()]).toEqual([false, true]);
});

test("a permit is its holder's for as long as its probe takes, and the rest begins with the probe", async () => {
  await using group = aGroup();
  const [one, other] = [group.aConsumer(), group.aConsumer()];
  await group.pass(4_000);
  expect(await one.ask()).toBe(true);
  one.begin();
  for (let passed = 0; passed < 30_000; passed += 1_000) {
    await one.ask();
    expect(await other.ask()).toBe(false);
    await group.pass(1_000);
  }
  one.refuse();
  await one.ask();
  await group.pass(4_000);
  expect([await other.ask(), await group.asked()]).toEqual([true, 1]);
});

test("whose questions to Redis end in an error, as before a right is granted, asks as rarely by itself, and stops nothing", async () => {
  await using group = aGroup({ isAnswered: false });
  const one = group.aConsumer();
  const given: number[] = [];
  await group.pass(4_000);
  for (; group.now() <= 64_000; await group.pass(1_000)) {
    if (!(await one.ask())) continue;
    given.push(group.now() - 4_000);
    one.refuse();
  }
  expect(given).toEqual([0, 4_000, 12_000, 28_000, 60_000]);
});
