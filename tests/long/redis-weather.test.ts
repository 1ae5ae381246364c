import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { eventually } from "../eventually.ts";
import { expectSent, flowsAfter } from "../flow.ts";
import { anOwnRedis, type OwnRedis } from "../own-redis.ts";
import { aSystem, type RunningProcess, type SignedUp, type System, signUpAt } from "../processes.ts";

const LIMIT_MS = 90_000;

describe("one Redis, under load", () => {
  const shared = new AsyncDisposableStack();
  let redis: OwnRedis;
  let admin: Redis;
  let system: System;
  let api: RunningProcess;

  beforeAll(async () => {
    redis = shared.use(await anOwnRedis());
    admin = new Redis(redis.url);
    admin.on("error", () => {});
    shared.defer(() => admin.disconnect());
    system = shared.use(await aSystem({ redisUrl: redis.url }));
    api = await system.api();
    await system.consumer();
    await system.consumer();
  }, LIMIT_MS);
  afterAll(() => shared.disposeAsync());

  const flows = (what: string, fault: () => Promise<void>) => flowsAfter(what, { system, api }, fault);
  const set = (name: string, value: string) => admin.config("SET", name, value);
  const lagsOf = async (): Promise<unknown[]> => {
    const groups: unknown[] = await admin
      .xinfo("GROUPS", system.keys.events)
      .then((reply) => (Array.isArray(reply) ? reply : []));
    return groups.map((group) => (Array.isArray(group) ? group[group.indexOf("lag") + 1] : undefined));
  };

  test(
    "CLIENT PAUSE, for writes and for all: work flows when it is over",
    async () => {
      await flows("CLIENT PAUSE WRITE", async () => {
        await admin.call("CLIENT", "PAUSE", "6000", "WRITE");
        await Bun.sleep(6_000);
      });
      await flows("CLIENT PAUSE ALL", async () => {
        await admin.call("CLIENT", "PAUSE", "6000", "ALL");
        await Bun.sleep(6_000);
      });
    },
    LIMIT_MS,
  );

  test(
    "full (noeviction), and released",
    async () => {
      await flows("maxmemory reached", async () => {
        await set("maxmemory", "1");
        await Promise.all(Array.from({ length: 30 }, () => signUpAt(api)));
        await Bun.sleep(5_000);
        await set("maxmemory", "0");
      });
      await eventually(async () => (await lagsOf()).every((lag) => lag === 0), 30_000);
    },
    LIMIT_MS,
  );

  test(
    "killed with the tail of its file cut off, and without fsync",
    async () => {
      const [, directory = ""] = await admin
        .config("GET", "dir")
        .then((pair) => (Array.isArray(pair) ? pair.map(String) : []));
      await set("appendfsync", "no");
      await flows("truncated AOF", async () => {
        await Promise.all(Array.from({ length: 20 }, () => signUpAt(api)));
        await redis.kill();
        const files = join(directory, "appendonlydir");
        const [last = ""] = readdirSync(files)
          .filter((name) => name.endsWith(".incr.aof"))
          .sort()
          .reverse();
        const { size } = statSync(join(files, last));
        truncateSync(join(files, last), Math.max(0, size - 3_001));
        await redis.start();
      });
      await eventually(async () => (await lagsOf()).every((lag) => lag === 0), 30_000);
    },
    LIMIT_MS,
  );

  test(
    "restarted three times in a row",
    async () => {
      await flows("three restarts", async () => {
        for (let restart = 0; restart < 3; restart += 1) {
          await redis.kill();
          await redis.start();
          await Bun.sleep(1_500);
        }
      });
      await eventually(async () => (await lagsOf()).every((lag) => lag === 0), 30_000);
    },
    LIMIT_MS,
  );

  test(
    "evicting (allkeys-lru) by mistake: everything comes back",
    async () => {
      await set("maxmemory-policy", "allkeys-lru");
      await flows("eviction", async () => {
        for (let round = 0; round < 3; round += 1) {
          await Promise.all(Array.from({ length: 20 }, () => signUpAt(api)));
          await set("maxmemory", "1");
          await admin.set("one", "more").catch(() => {});
          await set("maxmemory", "0");
        }
      });
      expect(await admin.info("stats")).not.toContain("evicted_keys:0\r");
      await set("maxmemory-policy", "noeviction");
    },
    LIMIT_MS,
  );

  test(
    "a replica that syncs fully, again and again",
    async () => {
      await using replica = await anOwnRedis();
      const other = new Redis(replica.url);
      await flows("full resyncs", async () => {
        for (let round = 0; round < 3; round += 1) {
          await other.replicaof("127.0.0.1", Number(new URL(redis.url).port));
          await eventually(async () => (await other.info("replication")).includes("master_link_status:up"), 30_000);
          await other.call("REPLICAOF", "NO", "ONE");
          await other.flushall();
        }
      });
      other.disconnect();
    },
    LIMIT_MS,
  );

  test(
    "emptied while the reconciler brings back what was lost, and again",
    async () => {
      await system.endConsumers();
      const signups: SignedUp[] = await Promise.all(Array.from({ length: 300 }, () => signUpAt(api)));
      for (let round = 0; round < 3; round += 1) {
        await admin.flushall();
        await eventually(async () => (await admin.xlen(system.keys.retriesStream("welcome-email"))) > 0, 30_000);
      }
      await admin.flushall();
      await system.consumer();
      await expectSent(system, api, signups);
      expect((await lagsOf()).every((lag) => lag === 0 || lag === null)).toBe(true);
    },
    LIMIT_MS,
  );
});
