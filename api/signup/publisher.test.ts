import { expect, test } from "bun:test";
import postgres from "postgres";
import { openSendingConnection, untilReady } from "../../stream/connection.ts";
import { fieldsOf } from "../../stream/entries.ts";
import { eventually } from "../../tests/eventually.ts";
import { aPipeline, aSignup, committedEvent, type Pipeline, redisUrl, silentLog } from "../../tests/pipeline.ts";
import { type ProxyOptions, startProxy } from "../../tests/tcp-proxy.ts";
import { aBody, anApp, postSignup } from "../app-for-tests.ts";
import { createPublisher, type Publisher } from "./publisher.ts";

const outboxOf = async ({ db }: Pipeline): Promise<string[]> =>
  (await db.selectFrom("outbox").select("event_id").execute()).map((row) => row.event_id);

const publishedIn = async ({ redis, keys }: Pipeline): Promise<(string | undefined)[]> =>
  (await redis.xrange(keys.events, "-", "+")).map(([, fields]) => fieldsOf(fields)["id"]);

/** A publisher behind a link to Redis. */
const aLinkedPublisher = async (
  pipeline: Pipeline,
  link: ProxyOptions = {},
  options: { readonly maxUnconfirmed?: number } = {},
) => {
  const proxy = await startProxy(Number(new URL(redisUrl()).port), link);
  const url = new URL(redisUrl());
  url.port = String(proxy.port);
  const redis = openSendingConnection({ url: url.href, name: "linked", log: silentLog });
  await untilReady(redis, 5_000);
  const publisher = createPublisher({ db: pipeline.db, redis, keys: pipeline.keys, log: silentLog, ...options });
  return {
    publisher,
    redis,
    silence: () => proxy.silence(),
    async [Symbol.asyncDispose]() {
      redis.disconnect();
      await publisher.idle();
      await proxy[Symbol.asyncDispose]();
    },
  };
};

/** Signups that one statement has written, published: the ids of their events. Each is answered with 201 once this resolves. */
const publishSome = async (pipeline: Pipeline, { publish }: Publisher, count = 5) => {
  const signups = Array.from({ length: count }, () => aSignup());
  return Promise.all(
    signups.map(async (signup) => {
      const eventId = await pipeline.writeOnly(signup);
      await publish(committedEvent(signup));
      return eventId;
    }),
  );
};

/** Five of them, and what became of them, over a link. */
const publishFive = async (pipeline: Pipeline, options: ProxyOptions) => {
  await using linked = await aLinkedPublisher(pipeline, options);
  const eventIds = await publishSome(pipeline, linked.publisher);
  await linked.publisher.idle();
  return eventIds;
};

const XADD = /\$4\r\nxadd\r\n/g;

test("a published event leaves the outbox, also after there was nothing to delete", async () => {
  await using pipeline = await aPipeline();
  for (let time = 0; time < 3; time += 1) {
    // Nothing was published when its rows are deleted.
    await pipeline.signUp();
    await pipeline.signUp(aSignup());
    expect(await outboxOf(pipeline)).toEqual([]);
  }
});

test("events of one statement are sent in one pipeline, in their order", async () => {
  await using pipeline = await aPipeline();
  const pipelines: number[] = [];
  const rewrite = (sent: Buffer) => {
    const count = sent.toString("latin1").match(XADD)?.length ?? 0;
    if (count > 0) pipelines.push(count);
    return sent;
  };
  const eventIds = await publishFive(pipeline, { rewrite });
  expect(pipelines).toEqual([5]);
  expect(await publishedIn(pipeline)).toEqual(eventIds);
  expect(await outboxOf(pipeline)).toEqual([]);
});

test("a pipeline of which the third XADD is refused leaves that row alone in the outbox, and fails nobody", async () => {
  await using pipeline = await aPipeline();
  let count = 0;
  const rewrite = (sent: Buffer) => {
    const text = sent.toString("latin1").replace(XADD, (xadd) => {
      count += 1;
      return count === 3 ? "$4\r\nxnot\r\n" : xadd;
    });
    return Buffer.from(text, "latin1");
  };
  const [first, second, third, fourth, fifth] = await publishFive(pipeline, { rewrite });
  expect(await publishedIn(pipeline)).toEqual([first, second, fourth, fifth]);
  expect(await outboxOf(pipeline)).toEqual(third === undefined ? [] : [third]);
});

test("a pipeline that is cut off leaves all of its rows in the outbox, and fails nobody", async () => {
  await using pipeline = await aPipeline();
  const eventIds = await publishFive(pipeline, { cutAt: "xadd" });
  expect(await publishedIn(pipeline)).toEqual([]);
  expect((await outboxOf(pipeline)).toSorted()).toEqual(eventIds.toSorted());
});

test("an answer does not wait for a Redis that is frozen, and the rows of its events stay in the outbox", async () => {
  await using pipeline = await aPipeline();
  await using linked = await aLinkedPublisher(pipeline);
  linked.silence();
  const eventIds = await publishSome(pipeline, linked.publisher);
  const { app } = anApp(pipeline.db, { afterCommit: (event) => linked.publisher.publish(event) });
  const answers = await Promise.all(Array.from({ length: 3 }, () => app.fetch(postSignup(aBody()))));
  expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
  expect(await publishedIn(pipeline)).toEqual([]);
  expect(await outboxOf(pipeline)).toEqual(expect.arrayContaining(eventIds));
  expect(await outboxOf(pipeline)).toHaveLength(8);
});

test("an event is on its way before its answer: a connection that ends just then carries it", async () => {
  await using pipeline = await aPipeline();
  await using linked = await aLinkedPublisher(pipeline);
  const eventIds = await publishSome(pipeline, linked.publisher);
  linked.redis.disconnect();
  await eventually(async () => (await publishedIn(pipeline)).length === 5);
  expect(await publishedIn(pipeline)).toEqual(eventIds);
});

test("what Redis has not confirmed is bounded: beyond that, events stay in the outbox and are not sent", async () => {
  await using pipeline = await aPipeline();
  let sent = 0;
  const rewrite = (bytes: Buffer) => {
    const xadds = bytes.toString("latin1").match(XADD)?.length ?? 0;
    sent += xadds;
    // Read, and never answered.
    return xadds > 0 ? Buffer.alloc(0) : bytes;
  };
  await using linked = await aLinkedPublisher(pipeline, { rewrite }, { maxUnconfirmed: 3 });
  // As if it were slow, and not silent: its connection stays.
  linked.redis.options.socketTimeout = 60_000;
  const first = await publishSome(pipeline, linked.publisher, 2);
  const second = await publishSome(pipeline, linked.publisher, 2);
  const third = await publishSome(pipeline, linked.publisher, 2);
  await eventually(() => sent === 3);
  await linked.publisher.idle();
  expect(sent).toBe(3);
  expect((await outboxOf(pipeline)).toSorted()).toEqual([...first, ...second, ...third].toSorted());
  // Nobody waits for them any more, and they are in line all the same.
  await publishSome(pipeline, linked.publisher, 3);
  await linked.publisher.idle();
  expect(sent).toBe(3);
  // With the connection its line ends.
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  linked.redis.once("close", resolve).disconnect(true);
  await closed;
  await untilReady(linked.redis, 5_000);
  await publishSome(pipeline, linked.publisher, 3);
  await eventually(() => sent === 6);
});

test("a row of the outbox that somebody has locked stays, and holds up no other", async () => {
  await using pipeline = await aPipeline();
  await using linked = await aLinkedPublisher(pipeline);
  const signups = Array.from({ length: 3 }, () => aSignup());
  const [, locked = ""] = await Promise.all(signups.map((signup) => pipeline.writeOnly(signup)));
  const sql = postgres(pipeline.url, { max: 1 });
  const isLocked = Promise.withResolvers<void>();
  const isDeleted = Promise.withResolvers<void>();
  const holding = sql.begin(async (holder) => {
    await holder`select from outbox where event_id = ${locked} for update`;
    isLocked.resolve();
    await isDeleted.promise;
  });
  await isLocked.promise;
  await Promise.all(signups.map((signup) => linked.publisher.publish(committedEvent(signup))));
  await linked.publisher.idle();
  expect(await outboxOf(pipeline)).toEqual([locked]);
  isDeleted.resolve();
  await holding;
  await sql.end();
});
