import { expect, test } from "bun:test";
import { Redis } from "ioredis";
import { keysOf } from "../../stream/keys.ts";
import { redisUrl, silentLog } from "../../tests/pipeline.ts";
import { createProbes, harmfulProbeEveryMs } from "./probes.ts";

test("who is asked at the risk of harm is asked after 4 s, then twice as long, up to two minutes", () => {
  expect([1, 2, 3, 4, 5, 6, 7, 1_000].map(harmfulProbeEveryMs)).toEqual([
    ...[4_000, 8_000, 16_000, 32_000],
    ...[64_000, 120_000, 120_000, 120_000],
  ]);
});

test("one consumer of a group may ask, and the next one goes on from there; once it works, everybody may", async () => {
  const redis = new Redis(redisUrl());
  const [keys, group] = [keysOf(`probes-${Bun.randomUUIDv7()}`), "group"];
  const aConsumer = () => {
    const given: (number | "given")[] = [];
    const breaker = {
      needsPermit: true,
      permit: () => void given.push("given"),
      refusePermit: (forMs: number) => void given.push(Math.ceil(forMs / 1_000)),
    };
    return { given, probes: createProbes({ redis, keys, group, breaker, log: silentLog, now: () => 0 }) };
  };
  const [one, other] = [aConsumer(), aConsumer()];
  await one.probes.ask();
  await other.probes.ask();
  // As if its time were over.
  await redis.del(keys.probes(group));
  await other.probes.ask();
  await one.probes.ask();
  expect([one.given, other.given]).toEqual([
    ["given", 8],
    [4, "given"],
  ]);
  expect(await redis.get(keys.probes(group))).toBe("2");
  one.probes.work();
  await other.probes.ask();
  expect(other.given.at(-1)).toBe("given");
  await redis.quit();
});

test("who is answered with an error, as before a right is granted, asks as rarely by itself, and stops nothing", async () => {
  const redis = new Redis(redisUrl());
  const [keys, group] = [keysOf(`probes-${Bun.randomUUIDv7()}`), "group"];
  await redis.hset(keys.probes(group), "of another", "type");
  let nowMs = 0;
  const given: number[] = [];
  const breaker = { needsPermit: true, permit: () => void given.push(nowMs), refusePermit: () => {} };
  const probes = createProbes({ redis, keys, group, breaker, log: silentLog, now: () => nowMs });
  for (; nowMs <= 60_000; nowMs += 1_000) await probes.ask();
  expect(given).toEqual([0, 4_000, 12_000, 28_000, 60_000]);
  await redis.quit();
});
