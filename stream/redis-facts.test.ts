import { expect, test } from "bun:test";
import { eventually } from "../tests/eventually.ts";
import { anOwnRedis } from "../tests/own-redis.ts";
import { silentLog } from "../tests/pipeline.ts";
import { openCommandConnection, untilReady } from "./connection.ts";
import { readRedisFacts } from "./redis-facts.ts";

test("a Redis without the replicas that it needs is known to refuse writes", async () => {
  await using own = await anOwnRedis();
  const redis = openCommandConnection({ url: own.url, name: "facts", log: silentLog, commandTimeoutMs: 5_000 });
  await untilReady(redis, 5_000);
  expect((await readRedisFacts(redis)).lacksReplicas).toBe(false);
  await redis.config("SET", "min-replicas-to-write", "1");
  await expect(redis.set("key", "value")).rejects.toThrow("NOREPLICAS");
  const facts = await eventually(() => readRedisFacts(redis).catch(() => undefined));
  expect(facts.lacksReplicas).toBe(true);
  redis.disconnect();
});
