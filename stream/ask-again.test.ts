import { afterAll, expect, test } from "bun:test";
import { redisUrl, silentLog } from "../tests/pipeline.ts";
import { readAgainIfRefused } from "./ask-again.ts";
import { openCommandConnection, untilReady } from "./connection.ts";

const redis = openCommandConnection({ url: redisUrl(), name: "again", log: silentLog, commandTimeoutMs: 5_000 });
afterAll(() => redis.disconnect());

test("what a server refused that is no primary any more is read again, over the reconnect that follows", async () => {
  await untilReady(redis, 5_000);
  const connections: number[] = [];
  let refused = 0;
  const answer = await readAgainIfRefused(
    redis,
    async () => {
      connections.push(await redis.client("ID"));
      if (refused > 0) return "read";
      refused += 1;
      return await redis.eval("return redis.error_reply('MOVED 1 127.0.0.1:1')", 0);
    },
    5_000,
  );
  expect(answer).toBe("read");
  expect(new Set(connections).size).toBe(2);
});

test("any other error, and a refusal that lasts, is thrown", async () => {
  await untilReady(redis, 5_000);
  let readings = 0;
  const failing = (message: string) => async () => {
    readings += 1;
    throw new Error(message);
  };
  await expect(readAgainIfRefused(redis, failing("WRONGTYPE of a key"), 5_000)).rejects.toThrow("WRONGTYPE");
  expect(readings).toBe(1);
  await expect(readAgainIfRefused(redis, failing("CLUSTERDOWN Hash slot not served"), 100)).rejects.toThrow(
    "CLUSTERDOWN",
  );
});
