import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { isAlive } from "./child.ts";
import { freePort } from "./ports.ts";
import { startRedis } from "./redis.ts";
import { findRedis } from "./redis-program.ts";

const local = join(import.meta.dir, "..", ".local");
mkdirSync(local, { recursive: true });
const folder = mkdtempSync(join(local, "test-local-redis-"));
const dataDirectory = join(folder, "redis");

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const start = async () => {
  const program = findRedis(join(local, "redis"), () => {});
  return startRedis({ program, dataDirectory, port: await freePort() });
};

const withClient = async <T>(url: string, use: (redis: Redis) => Promise<T>): Promise<T> => {
  const redis = new Redis(url);
  try {
    return await use(redis);
  } finally {
    redis.disconnect();
  }
};

test("keeps its data between runs and never evicts", async () => {
  const first = await start();
  await withClient(first.url, (redis) => redis.xadd("events", "*", "id", "one"));
  await first.stop();
  expect(await first.exited).toBe("exit code 0");
  expect(isAlive(first.pid)).toBe(false);

  const second = await start();
  expect(await withClient(second.url, (redis) => redis.xlen("events"))).toBe(1);
  expect(await withClient(second.url, (redis) => redis.call("config", "get", "maxmemory-policy"))).toEqual([
    "maxmemory-policy",
    "noeviction",
  ]);
  await second.stop();
});

test("stops a server that outlived its starter: two would corrupt one append-only file", async () => {
  const leftover = await start();
  const next = await start();

  expect(await leftover.exited).toBe("exit code 0");
  expect(await withClient(next.url, (redis) => redis.xlen("events"))).toBe(1);
  await next.stop();
});

test("does not stop a process that reuses the id of an old server", async () => {
  const bystander = Bun.spawn(["sleep", "60"], { stdio: ["ignore", "ignore", "ignore"] });
  writeFileSync(join(dataDirectory, "redis.pid"), `${bystander.pid}\n`);

  const server = await start();
  expect(isAlive(bystander.pid)).toBe(true);
  await server.stop();
  bystander.kill();
  await bystander.exited;
});

test("does not mistake another Redis on its port for its own", async () => {
  const other = await start();
  const program = findRedis(join(local, "redis"), () => {});
  const port = Number(new URL(other.url).port);

  const second = startRedis({ program, dataDirectory: join(folder, "second"), port });
  expect(second).rejects.toThrow("Address already in use");
  await second.catch(() => {});
  await other.stop();
});
