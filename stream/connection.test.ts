import { expect, test } from "bun:test";
import { eventually } from "../tests/eventually.ts";
import { redisUrl } from "../tests/pipeline.ts";
import { openCommandConnection, untilReady } from "./connection.ts";

const open = (database: number) => {
  const warnings: string[] = [];
  const url = new URL(redisUrl());
  url.pathname = `/${database}`;
  const log = { info: () => {}, warn: (_: unknown, text?: string) => void warnings.push(text ?? "") };
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

test("where the server has no such database, it does not stay with another one, and says so", async () => {
  const { redis, warnings } = open(9_999);
  let closed = 0;
  redis.on("close", () => {
    closed += 1;
  });
  await eventually(() => closed > 1);
  expect(warnings).toContain("Redis refuses the database of its URL; reconnecting");
  redis.disconnect();
});
