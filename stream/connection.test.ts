import { expect, test } from "bun:test";
import { eventually } from "../tests/eventually.ts";
import { redisUrl, silentLog } from "../tests/pipeline.ts";
import { openCommandConnection, untilReady } from "./connection.ts";

const open = (database: number) => {
  const warnings: string[] = [];
  const url = new URL(redisUrl());
  url.pathname = `/${database}`;
  const log = {
    info: () => {},
    warn: (fields: { readonly error?: unknown }) => void warnings.push(String(fields.error)),
  };
  const redis = openCommandConnection({ url: url.href, name: "database", log, commandTimeoutMs: 5_000 });
  return { redis, warnings };
};

test("a connection uses the database of its URL", async () => {
  const { redis, warnings } = open(1);
  expect(await untilReady(redis, 5_000)).toBe(true);
  expect(String(await redis.client("INFO"))).toContain(" db=1 ");
  expect(warnings).toEqual([]);
  redis.disconnect();
});

test("where the server has no such database, nothing is written into another one, and it says why", async () => {
  const { redis, warnings } = open(9_999);
  const key = `none-${Bun.randomUUIDv7()}`;
  const zero = openCommandConnection({ url: redisUrl(), name: "zero", log: silentLog, commandTimeoutMs: 5_000 });
  await untilReady(zero, 5_000);
  const write = () => void redis.xadd(key, "*", "written", "true").catch(() => {});
  redis.on("ready", write);
  const timer = setInterval(write, 5);
  let closed = 0;
  redis.on("close", () => {
    closed += 1;
  });
  await eventually(() => closed > 3);
  clearInterval(timer);
  expect(await zero.exists(key)).toBe(0);
  expect(warnings).toContain("ERR DB index is out of range");
  redis.disconnect();
  zero.disconnect();
});
