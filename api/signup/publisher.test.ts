import { expect, test } from "bun:test";
import { openCommandConnection, untilReady } from "../../stream/connection.ts";
import { fieldsOf } from "../../stream/entries.ts";
import { aPipeline, aSignup, committedEvent, type Pipeline, redisUrl, silentLog } from "../../tests/pipeline.ts";
import { type ProxyOptions, startProxy } from "../../tests/tcp-proxy.ts";
import { createPublisher } from "./publisher.ts";

const outboxOf = async ({ db }: Pipeline): Promise<string[]> =>
  (await db.selectFrom("outbox").select("event_id").execute()).map((row) => row.event_id);

const publishedIn = async ({ redis, keys }: Pipeline): Promise<(string | undefined)[]> =>
  (await redis.xrange(keys.events, "-", "+")).map(([, fields]) => fieldsOf(fields)["id"]);

/** Five signups that one statement has written, published over a link; the ids of their events, and the pipelines that were sent. */
const publishFive = async (pipeline: Pipeline, options: ProxyOptions) => {
  await using link = await startProxy(Number(new URL(redisUrl()).port), options);
  const url = new URL(redisUrl());
  url.port = String(link.port);
  const redis = openCommandConnection({ url: url.href, name: "five", log: silentLog, commandTimeoutMs: 5_000 });
  await untilReady(redis, 5_000);
  const publisher = createPublisher({ db: pipeline.db, redis, keys: pipeline.keys, log: silentLog });
  const signups = Array.from({ length: 5 }, () => aSignup());
  const eventIds = await Promise.all(signups.map((signup) => pipeline.writeOnly(signup)));
  // Each is answered with 201 once this resolves, and it never rejects.
  await Promise.all(signups.map((signup) => publisher.publish(committedEvent(signup))));
  await publisher.idle();
  redis.disconnect();
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

test("events of one turn are sent in one pipeline, in their order", async () => {
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
