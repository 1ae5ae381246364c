import { expect, test } from "bun:test";
import { tracingChannel } from "node:diagnostics_channel";
import { redisUrl } from "../tests/pipeline.ts";
import { openCommandConnection, untilReady } from "./connection.ts";

test("a command makes something to be traced only while somebody listens", async () => {
  const channel = tracingChannel("ioredis:command");
  const log = { info: () => {}, warn: () => {} };
  const redis = openCommandConnection({ url: redisUrl(), name: "traced", log, commandTimeoutMs: 5_000 });
  await untilReady(redis, 5_000);
  expect(channel.hasSubscribers).toBe(false);
  const seen: unknown[] = [];
  const nothing = () => {};
  const listener = {
    start: (message: object) => void seen.push(message),
    end: nothing,
    asyncStart: nothing,
    asyncEnd: nothing,
    error: nothing,
  };
  await redis.ping();
  channel.subscribe(listener);
  expect(channel.hasSubscribers).toBe(true);
  await redis.ping();
  expect(seen).toEqual([expect.objectContaining({ command: "ping" })]);
  channel.unsubscribe(listener);
  await redis.ping();
  expect([channel.hasSubscribers, seen.length]).toEqual([false, 1]);
  redis.disconnect();
});
