import { expect, test } from "bun:test";
import { readNew } from "../../stream/entries.ts";
import { WELCOME_EMAIL } from "../../stream/groups.ts";
import { redisTimeMs } from "../../stream/watermark.ts";
import { eventually } from "../../tests/eventually.ts";
import { anOutbox, aPipeline, aSignup, type MailWork, type TestConsumer } from "../../tests/pipeline.ts";

/** A consumer that a busy machine keeps silent for longer would pass for dead: what it had would count a death that was none. */
const longer = { claimMinIdleMs: 3_000 };

test.concurrent("an event that kills its consumers is one dead letter; entries in flight with it are mailed, none again without a count", async () => {
  await using pipeline = await aPipeline();
  const outbox = anOutbox();
  const eventIds = await pipeline.signUp(...Array.from({ length: 30 }, () => aSignup()));
  const poison = eventIds[15] ?? "";
  let deaths = 0;
  const alive = new Set<TestConsumer>();

  const start = async (): Promise<void> => {
    const consumer: TestConsumer = await pipeline.consumer(async (...args) => {
      const [claim] = args;
      if (!alive.has(consumer)) return new Promise(() => {});
      if (claim.eventId !== poison) {
        // Slow enough that companions are in flight when the poison kills.
        await Bun.sleep(20);
        return alive.has(consumer) ? outbox.work(...args) : new Promise(() => {});
      }
      deaths += 1;
      alive.delete(consumer);
      consumer.crash();
      void start();
      return new Promise(() => {});
    }, longer);
    alive.add(consumer);
  };
  await Promise.all([start(), start(), start()]);

  for (const atLeast of [1, 2, 3, 4]) await eventually(() => deaths >= atLeast);
  const letters = await eventually(async () => {
    const found = await pipeline.redis.xrange(pipeline.keys.dead("welcome-email"), "-", "+");
    return found.length > 0 && found;
  });
  const others = eventIds.filter((eventId) => eventId !== poison);
  for (const eventId of others) await eventually(async () => (await pipeline.status(eventId))?.state === "done");
  expect(letters).toHaveLength(1);
  expect(letters[0]?.[1]).toEqual(expect.arrayContaining(["event_id", poison, "reason", "poison"]));
  expect(await pipeline.status(poison)).toMatchObject({ state: "dead", reason: "poison" });
  expect(deaths).toBe(4);
  expect(new Set(outbox.sent)).toEqual(new Set(others));
  // One that was done just before its consumer died is done again.
  const statuses = await Promise.all(others.map((eventId) => pipeline.status(eventId)));
  const uncertain = statuses.reduce((sum, status) => sum + (status?.uncertain ?? 0), 0);
  expect(outbox.sent.length - others.length).toBeLessThanOrEqual(uncertain);
});

test.concurrent("work that two kills of the fleet met, and alone the kill of one consumer, is no poison", async () => {
  await using pipeline = await aPipeline();
  const outbox = anOutbox();
  const [eventId = ""] = await pipeline.signUp(aSignup());
  for (const size of [2, 2, 1]) {
    const begun = Promise.withResolvers<void>();
    const fleet = await Promise.all(
      Array.from({ length: size }, () =>
        pipeline.consumer(() => {
          begun.resolve();
          return new Promise<never>(() => {});
        }),
      ),
    );
    await begun.promise;
    for (const consumer of fleet) consumer.crash();
  }
  await pipeline.consumer(outbox.work);
  await eventually(async () => (await pipeline.status(eventId))?.state === "done");
  expect(outbox.sent).toEqual([eventId]);
});

test.concurrent("a fleet that is killed three times makes no poison, and what is new does not wait", async () => {
  await using pipeline = await aPipeline();
  const outbox = anOutbox();
  const hanging = () => new Promise<never>(() => {});
  const startFleet = (work: MailWork) =>
    Promise.all(Array.from({ length: 3 }, () => pipeline.consumer(work, { concurrency: 5, ...longer })));
  const eventIds = await pipeline.signUp(...Array.from({ length: 15 }, () => aSignup()));
  for (let kills = 0; kills < 3; kills += 1) {
    const fleet = await startFleet(hanging);
    const inFlight = () => fleet.reduce((sum, consumer) => sum + consumer.inFlight(), 0);
    // After two deaths they are suspects, of which one consumer runs as many as it may.
    await eventually(() => inFlight() >= (kills < 2 ? 15 : 5));
    for (const consumer of fleet) consumer.crash();
  }
  await startFleet(async (...args) => {
    if (eventIds.includes(args[0].eventId)) await Bun.sleep(50);
    return outbox.work(...args);
  });
  const [fresh = ""] = await pipeline.signUp(aSignup());
  await eventually(() => outbox.sent.includes(fresh));
  expect(outbox.sent[0]).toBe(fresh);
  for (const eventId of eventIds) await eventually(async () => (await pipeline.status(eventId))?.state === "done");
});

test.concurrent("a mass of suspects is run by idle consumers at the same time; one of them stays free for what is new", async () => {
  await using pipeline = await aPipeline();
  const { redis, keys } = pipeline;
  const [group, stream] = [WELCOME_EMAIL.name, keys.events];
  const outbox = anOutbox();
  // Long enough for a busy machine: one that is late would pass for dead.
  const claimMinIdleMs = 6_000;
  const eventIds = await pipeline.signUp(...Array.from({ length: 30 }, () => aSignup()));
  // Each was in flight in two deaths. Some of those that died gave a sign of life after they had renewed the entries.
  const entries = await readNew(redis, { group, consumer: "dead", stream, count: eventIds.length });
  expect(entries).toHaveLength(eventIds.length);
  const ids = entries.map(({ id }) => id);
  await redis.xclaim(stream, group, "dead", 0, ...ids, "IDLE", `${claimMinIdleMs}`, "RETRYCOUNT", "2", "JUSTID");
  for (const consumer of ["dead", "also dead"])
    await redis.zadd(keys.signsOfLife(group), (await redisTimeMs(redis)) - (2 / 3) * claimMinIdleMs, consumer);

  const running = [new Set<string>(), new Set<string>(), new Set<string>()];
  const free = Promise.withResolvers<void>();
  for (const own of running) {
    const work: MailWork = async (...args) => {
      const { eventId } = args[0];
      if (!eventIds.includes(eventId)) return outbox.work(...args);
      own.add(eventId);
      await free.promise;
      own.delete(eventId);
      return outbox.work(...args);
    };
    // By chance, they choose different ones, and do not look at each other again and again at the same time.
    await pipeline.consumer(work, { concurrency: 10, claimMinIdleMs, random: Math.random });
  }
  const inTrial = () => running.filter((each) => each.size > 0).length;
  await eventually(() => inTrial() === 2);
  // However long the others take, and though more suspects wait than they run.
  const sinceMs = performance.now();
  await eventually(() => performance.now() - sinceMs > 1.5 * claimMinIdleMs);
  expect(inTrial()).toBe(2);
  const [fresh = ""] = await pipeline.signUp(aSignup());
  await eventually(() => outbox.sent.includes(fresh));
  free.resolve();
  for (const eventId of eventIds) await eventually(async () => (await pipeline.status(eventId))?.state === "done");
  expect(new Set(outbox.sent)).toEqual(new Set([...eventIds, fresh]));
});
