import { expect, test } from "bun:test";
import postgres from "postgres";
import { pingDatabase } from "../database/connection.ts";
import { CommitsStalled } from "../database/stalled-commits.ts";
import { VERSION } from "../observability/version.ts";
import { publishAll } from "../stream/publish.ts";
import { redisTimeMs } from "../stream/watermark.ts";
import { eventually } from "../tests/eventually.ts";
import { anOwnRedis } from "../tests/own-redis.ts";
import { anOutbox, aPipeline, aSignup, committedEvent, type TestConsumer } from "../tests/pipeline.ts";
import { serveHealth } from "./health.ts";

const storesOf = ({ db, redis }: TestConsumer) => ({
  postgres: () => pingDatabase(db),
  redis: () => redisTimeMs(redis),
});

test("both health answers show the version that is running", async () => {
  await using server = serveHealth([], { postgres: async () => {}, redis: async () => {} }, { port: 0 });
  const ask = async (path: string) => (await fetch(new URL(path, server.url))).json();
  expect(await ask("/livez")).toEqual({ live: true, version: VERSION, groups: [] });
  expect(await ask("/readyz")).toEqual({ ready: true, version: VERSION, groups: [] });
});

test("both say in a sentence which system fails, since when, and when it is probed", async () => {
  await using pipeline = await aPipeline();
  const consumer = await pipeline.consumer(async () => ({ kind: "unavailable", reason: "connection_refused" }));
  await using server = serveHealth([consumer], storesOf(consumer), { port: 0 });
  const why = async () => (await (await fetch(new URL("/readyz", server.url))).json()).groups[0].why;
  await eventually(async () => (await why()) === "All is well");
  await pipeline.signUp(...Array.from({ length: 6 }, () => aSignup()));
  await eventually(async () => /refuses connections since \d\d:\d\d UTC; next probe in/.test(await why()));
});

test("a consumer that cannot give a sign of life says so where it can, and that it works on", async () => {
  await using pipeline = await aPipeline();
  const { redis, keys } = pipeline;
  const outbox = anOutbox();
  const consumer = await pipeline.consumer(outbox.work);
  await using server = serveHealth([consumer], storesOf(consumer), { port: 0 });
  const why = async () => (await (await fetch(new URL("/readyz", server.url))).json()).groups[0].why;
  for (const key of [keys.signsOfLife(consumer.name), keys.reports(consumer.name), keys.history(consumer.name)]) {
    await redis.unlink(key);
    await redis.set(key, "in the way");
    await pipeline.signUp(aSignup());
    await eventually(async () =>
      /^To others this consumer of welcome-email may look dead, and works on \(Redis refuses its sign of life \(WRONGTYPE\); since /.test(
        await why(),
      ),
    );
    await redis.unlink(key);
    await eventually(async () => (await why()) === "All is well");
  }
  await eventually(() => outbox.sent.length === 3);
});

const lookingAt = (server: Bun.Server<undefined>) => {
  const said: string[] = [];
  return {
    said,
    /** What both say, each in a sentence; both are 200. */
    look: async () => {
      const answers = await Promise.all(["/livez", "/readyz"].map((path) => fetch(new URL(path, server.url))));
      expect(answers.map(({ status }) => status)).toEqual([200, 200]);
      const whys: string[] = await Promise.all(answers.map(async (answer) => (await answer.json()).groups[0].why));
      said.push(...whys);
      return whys;
    },
  };
};

test("while Redis hangs, both say that it is Redis, and since when, and never that it answers", async () => {
  await using redis = await anOwnRedis();
  await using pipeline = await aPipeline(undefined, undefined, redis.url);
  const consumer = await pipeline.consumer(anOutbox().work);
  await using server = serveHealth([consumer], storesOf(consumer), { port: 0 });
  const { look, said } = lookingAt(server);
  redis.freeze();
  const isOfRedis = (why: string) => /^Redis has not answered since \d\d:\d\d UTC: this consumer waits/.test(why);
  await eventually(async () => (await look()).every(isOfRedis));
  // Once its connections are given up, its loops fail for another reason than silence.
  await eventually(() => consumer.faults()[`reader of ${consumer.name}`]?.includes("Redis"));
  expect((await look()).filter(isOfRedis)).toHaveLength(2);
  expect(said.join()).not.toContain("Redis answers");
  redis.thaw();
  await eventually(async () => (await look()).every((why) => why === "All is well"));
});

test("who has nothing to do says since when Postgres does not answer", async () => {
  await using pipeline = await aPipeline();
  const consumer = await pipeline.consumer(anOutbox().work);
  const { promise: never } = Promise.withResolvers<void>();
  let isAway = false;
  const { postgres, redis } = storesOf(consumer);
  const stores = { redis, postgres: () => (isAway ? never : postgres()) };
  await using server = serveHealth([consumer], stores, { port: 0 });
  const { look } = lookingAt(server);
  await eventually(async () => (await look()).every((why) => why === "All is well"));
  isAway = true;
  const words = /^PostgreSQL has not answered since \d\d:\d\d UTC: this consumer waits for it, .* lost$/;
  await eventually(async () => words.test((await look())[1] ?? ""));
  isAway = false;
  await eventually(async () => (await look())[1] === "All is well");
});

test("both name what waits for a lock, and since when, and stay 200; the consumer goes on when the lock is gone", async () => {
  await using pipeline = await aPipeline();
  const outbox = anOutbox();
  const consumer = await pipeline.consumer(outbox.work);
  await using server = serveHealth([consumer], storesOf(consumer), { port: 0 });
  const signup = aSignup();
  const eventId = await pipeline.writeOnly(signup);
  const somebody = postgres(pipeline.url, { max: 1 });
  const { promise: untilReleased, resolve: release } = Promise.withResolvers<void>();
  const held = somebody.begin(async (sql) => {
    await sql`lock table deliveries in access exclusive mode`;
    await publishAll(pipeline.redis, pipeline.keys.events, [committedEvent(signup)]);
    await untilReleased;
  });
  for (const path of ["/livez", "/readyz"]) {
    await eventually(async () => {
      const answer = await fetch(new URL(path, server.url));
      return answer.status === 200 && /(ledger|55P03)[^}]*since \d{4}-\d\d-\d\dT/.test(await answer.text());
    });
  }
  release();
  await held;
  await eventually(() => outbox.sent.includes(eventId));
  await eventually(async () => !(await (await fetch(new URL("/readyz", server.url))).text()).includes("since"));
  await somebody.end();
});

test("a consumer that has nothing to write says that commits do not end, since when, and that it waits", async () => {
  await using pipeline = await aPipeline();
  const consumer = await pipeline.consumer(anOutbox().work);
  let ping: () => Promise<void> = () => Promise.reject(new CommitsStalled(new Date("2026-11-28T06:05:00Z")));
  await using server = serveHealth(
    [consumer],
    { postgres: () => ping(), redis: () => redisTimeMs(consumer.redis) },
    { port: 0 },
  );
  const why = async () => (await (await fetch(new URL("/readyz", server.url))).json()).groups[0].why;
  expect(await why()).toMatch(
    /^PostgreSQL has ended no commit since about 2026-11-28 06:05 UTC, because its synchronous standby does not answer: this consumer waits for it, /,
  );
  ping = () => Promise.resolve();
  await eventually(async () => (await why()) === "All is well");
});
