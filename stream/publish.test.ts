import { afterAll, beforeAll, expect, spyOn, test } from "bun:test";
import { Redis } from "ioredis";
import { randomHex } from "../observability/trace-context.ts";
import { eventually } from "../tests/eventually.ts";
import { aSignup, committedEvent, redisUrl, silentLog } from "../tests/pipeline.ts";
import { openBlockingConnection, openCommandConnection, untilReady } from "./connection.ts";
import { fieldsOf } from "./entries.ts";
import { followChanges } from "./follow.ts";
import { keysOf } from "./keys.ts";
import { createStatePublisher, publishAll } from "./publish.ts";

const redis = openCommandConnection({ url: redisUrl(), name: "states", log: silentLog, commandTimeoutMs: 5_000 });
beforeAll(() => untilReady(redis, 5_000));
afterAll(() => redis.disconnect());

test("states that change together share messages, and whoever follows hears of each event", async () => {
  const { status } = keysOf(`test-${randomHex(6)}`);
  const follower = openBlockingConnection({ url: redisUrl(), name: "follower", log: silentLog });
  const heard: string[] = [];
  const { promise: subscribed, resolve: onSubscribed } = Promise.withResolvers<void>();
  followChanges(follower, status, (eventId) => heard.push(eventId), { onSubscribed });
  await subscribed;
  const messages = spyOn(redis, "publish");
  const publishState = createStatePublisher(redis, status);
  const ids = Array.from({ length: 150 }, (_, index) => `event-${index}`);
  for (const id of ids) publishState(id, "active");
  await eventually(() => heard.length === 150);
  publishState("event-0", "done");
  await eventually(() => heard.length === 151);
  expect(heard).toEqual([...ids, "event-0"]);
  expect(messages.mock.calls.map(([, message]) => String(message).split("\n").length)).toEqual([100, 50, 1]);
  follower.disconnect();
});

const ids = (published: Awaited<ReturnType<typeof publishAll>>) =>
  published.map((each) => (each.status === "fulfilled" ? each.value : undefined));

test("events are added in their order, with all that their entries have, and each has the id of its own", async () => {
  const { events } = keysOf(`test-${randomHex(6)}`);
  const rows = Array.from({ length: 3 }, () => ({
    ...committedEvent(aSignup()),
    tracestate: "a=đ",
    data: { name: "Đặng" },
  }));
  const published = await publishAll(redis, events, rows);
  const entries = await redis.xrange(events, "-", "+");
  expect(ids(published)).toEqual(entries.map(([id]) => id));
  expect(entries.map(([, fields]) => fieldsOf(fields))).toEqual(
    rows.map((row) => ({
      ...{ specversion: "1.0", id: row.event_id, source: "/signup-stream/api", type: row.type, subject: row.subject },
      ...{ time: row.created_at.toISOString(), data: '{"name":"Đặng"}' },
      ...{ traceparent: row.traceparent, tracestate: "a=đ" },
    })),
  );
});

test("events are added by a client that keeps its commands until it is connected, and fail with one that is closed", async () => {
  const { events } = keysOf(`test-${randomHex(6)}`);
  const rows = Array.from({ length: 3 }, () => committedEvent(aSignup()));
  const waiting = new Redis(redisUrl());
  expect(ids(await publishAll(waiting, events, rows))).not.toContain(undefined);
  expect(await redis.xlen(events)).toBe(3);
  waiting.disconnect();
  await eventually(() => waiting.status === "end");
  expect(ids(await publishAll(waiting, events, rows))).toEqual([undefined, undefined, undefined]);
});

test("of entries that are not answered within the client's time limit none counts as added, and of the others each has its id", async () => {
  const answers = ["$3\r\n1-0\r\n", "$3\r\n2-0\r\n"];
  using server = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: { data: (socket, sent) => void (sent.includes("xadd") && socket.write(answers.join(""))) },
  });
  const quick = new Redis(server.port, {
    protocol: 2,
    commandTimeout: 50,
    enableReadyCheck: false,
    disableClientInfo: true,
  });
  await untilReady(quick, 5_000);
  const rows = Array.from({ length: 3 }, () => committedEvent(aSignup()));
  expect(ids(await publishAll(quick, keysOf("slow").events, rows))).toEqual(["1-0", "2-0", undefined]);
  quick.disconnect();
});

test("of entries whose connection ends while they are handed over none counts as added", async () => {
  const cut = new Redis(redisUrl(), { enableOfflineQueue: false, maxRetriesPerRequest: 0, retryStrategy: () => null });
  await untilReady(cut, 5_000);
  const send = cut.sendCommand.bind(cut);
  spyOn(cut, "sendCommand").mockImplementation((...sent) => {
    const result = send(...sent);
    cut.stream.destroy();
    return result;
  });
  const rows = Array.from({ length: 3 }, () => committedEvent(aSignup()));
  expect(ids(await publishAll(cut, keysOf("cut").events, rows))).toEqual([undefined, undefined, undefined]);
});
