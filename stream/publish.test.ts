import { afterAll, beforeAll, expect, spyOn, test } from "bun:test";
import { randomHex } from "../observability/trace-context.ts";
import { eventually } from "../tests/eventually.ts";
import { redisUrl, silentLog } from "../tests/pipeline.ts";
import { openBlockingConnection, openCommandConnection, untilReady } from "./connection.ts";
import { followChanges } from "./follow.ts";
import { keysOf } from "./keys.ts";
import { createStatePublisher } from "./publish.ts";

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
