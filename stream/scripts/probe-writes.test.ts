import { expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { z } from "zod";
import { eventually } from "../../tests/eventually.ts";
import { anOwnRedis } from "../../tests/own-redis.ts";
import { silentLog } from "../../tests/pipeline.ts";
import { openCommandConnection, untilReady } from "../connection.ts";
import { keysOf } from "../keys.ts";
import { createRedisPing } from "../ping.ts";
import { findWriteRefusal } from "./probe-writes.ts";

const keys = keysOf("probed");

test("who has nothing to write learns for what Redis refuses writes, and leaves no trace in it", async () => {
  await using own = await anOwnRedis();
  const admin = new Redis(own.url);
  const redis = openCommandConnection({ url: own.url, name: "probe", log: silentLog, commandTimeoutMs: 5_000 });
  try {
    await untilReady(redis, 5_000);
    const ping = createRedisPing(redis, keys);
    // A refusal that a ping met ends the connection, which is there again soon.
    const found = async () => {
      await untilReady(redis, 5_000);
      return findWriteRefusal(redis, keys);
    };
    const pinged = () =>
      ping().then(
        () => undefined,
        (error: unknown) => (error instanceof Error && "code" in error ? error.code : undefined),
      );
    expect([await found(), await pinged()]).toEqual([undefined, undefined]);

    // It has one replica fewer than it needs, or two: INFO does not tell how many.
    await admin.config("SET", "min-replicas-to-write", "2");
    expect(await found()).toBe("NOREPLICAS");
    await eventually(async () => (await pinged()) === "NOREPLICAS");
    await admin.config("SET", "min-replicas-to-write", "0");
    await eventually(async () => (await pinged()) === undefined);

    // Its snapshots fail, since something is in the way of the file.
    const [, directory] = z.tuple([z.literal("dir"), z.string()]).parse(await admin.config("GET", "dir"));
    mkdirSync(join(directory, "dump.rdb"));
    await admin.config("SET", "save", "3600 1000");
    await admin.bgsave();
    await eventually(async () => (await admin.info("persistence")).includes("rdb_last_bgsave_status:err"));
    expect(await found()).toBe("MISCONF");
    await eventually(async () => (await pinged()) === "MISCONF");
    await admin.config("SET", "stop-writes-on-bgsave-error", "no");
    await eventually(async () => (await pinged()) === undefined);

    await admin.config("SET", "maxmemory", "1");
    expect(await found()).toBe("OOM");
    await admin.config("SET", "maxmemory", "0");
    expect(await found()).toBeUndefined();
    expect(await admin.dbsize()).toBe(0);

    // A script of somebody else's that does not end: this is no answer.
    await admin.config("SET", "lua-time-limit", "10");
    const killer = new Redis(own.url);
    await killer.ping();
    const endless = admin.eval("while true do end", 0).catch(() => {});
    await eventually(() =>
      found().then(
        () => false,
        (error: unknown) => String(error).includes("BUSY"),
      ),
    );
    await killer.script("KILL");
    killer.disconnect();
    await endless;

    // Without a right to ask, nobody knows.
    await admin.acl("SETUSER", "default", "-eval", "-evalsha");
    expect(await found()).toBeUndefined();
  } finally {
    redis.disconnect();
    admin.disconnect();
  }
}, 30_000);
