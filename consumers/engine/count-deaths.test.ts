import { expect, test } from "bun:test";
import { readNew } from "../../stream/entries.ts";
import { WELCOME_EMAIL } from "../../stream/groups.ts";
import { claimIdle } from "../../stream/scripts/claim.ts";
import { releaseEntries } from "../../stream/scripts/release.ts";
import { eventually } from "../../tests/eventually.ts";
import { aPipeline, aSignup, type MailWork, silentLog } from "../../tests/pipeline.ts";
import { createCountDeaths } from "./count-deaths.ts";
import { SUSPECT_AFTER } from "./suspects.ts";

/** Some in vain, each for a domain of its own, so that the others are in doubt; then it hangs. */
const inVainThenHanging = () => {
  let asked = 0;
  const work: MailWork = async ({ eventId }) => {
    asked += 1;
    if (asked > IN_VAIN) return new Promise<never>(() => {});
    await Bun.sleep(1);
    return { kind: "unavailable", reason: "deferred", party: eventId };
  };
  return { work, hanging: () => Math.max(0, asked - IN_VAIN) };
};
const IN_VAIN = 12;
const CONCURRENCY = 4;
/** Of what is kept; a slow machine keeps fewer. */
const MANY = 3 * CONCURRENCY;

test.concurrent("two deaths of consumers make suspects of what they attempted alone, not of what they only kept", async () => {
  await using pipeline = await aPipeline();
  const { redis, keys } = pipeline;
  const group = WELCOME_EMAIL.name;
  const emails = Array.from({ length: 100 }, (_, n) => `somebody@domain-${n}.example`);
  await pipeline.signUp(...emails.map((email) => aSignup({ email })));
  for (let deaths = 0; deaths < SUSPECT_AFTER; deaths += 1) {
    const { work, hanging } = inVainThenHanging();
    const consumer = await pipeline.consumer(work, { concurrency: CONCURRENCY, retryDelayMs: 60_000 });
    await eventually(() => hanging() > 0 && consumer.kept() > MANY);
    // What was sent before has arrived.
    await consumer.redis.xpending(keys.events, group);
    const began = hanging();
    consumer.crash();
    const pending = await Promise.all(
      [keys.events, keys.retriesStream(group)].map(async (stream): Promise<readonly unknown[]> => {
        return redis.xpending(stream, group, "-", "+", 1_000, consumer.consumer);
      }),
    );
    const counted = pending.flat().filter((row) => Array.isArray(row) && Number(row[3]) > 0);
    expect(counted.length).toBeGreaterThanOrEqual(began);
  }
  const idle = { group, consumer: "a-peer", minIdleMs: 0, count: 1_000, suspectAfter: SUSPECT_AFTER };
  const found = [
    await claimIdle(redis, { ...idle, stream: keys.events }),
    await claimIdle(redis, { ...idle, stream: keys.retriesStream(group) }),
  ];
  expect(found.flatMap(({ entries }) => entries).length).toBeGreaterThan(CONCURRENCY);
  expect(found.flatMap(({ suspects }) => suspects).length).toBeLessThanOrEqual(CONCURRENCY);
});

test.concurrent("what a consumer kept and releases carries the deaths of those that had it before", async () => {
  await using pipeline = await aPipeline();
  const { redis, keys } = pipeline;
  const group = WELCOME_EMAIL.name;
  const [stream, retries] = [keys.events, keys.retriesStream(group)];
  await pipeline.signUp(aSignup());
  await eventually(async () => (await redis.xlen(stream)) === 1);
  await readNew(redis, { group, consumer: "dies", stream, count: 1 });
  const taking = { group, consumer: "keeps", stream, minIdleMs: 0, count: 1, suspectAfter: SUSPECT_AFTER };
  const { entries } = await claimIdle(redis, taking);
  const deaths = createCountDeaths({ redis, group, consumer: "keeps", log: silentLog });
  deaths.kept(entries);
  deaths.begin(entries);
  await releaseEntries(
    redis,
    { stream, group, consumer: "keeps" },
    retries,
    entries.map(({ id }) => id),
  );
  const [next] = await readNew(redis, { group, consumer: "next", stream: retries, count: 1 });
  expect(entries.map(({ deliveries }) => deliveries)).toEqual([2]);
  expect(next?.deliveries).toBe(2);
});
