import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Redis } from "ioredis";
import { refusalOf } from "../../stream/refusals.ts";
import { eventually } from "../eventually.ts";
import { expectSent, flowsAfter } from "../flow.ts";
import { type OwnCluster, ownCluster } from "../own-cluster.ts";
import { aSystem, type RunningProcess, type System, signUpAt } from "../processes.ts";
import { ask, type RedisNode } from "../redis-node.ts";
import { consoleSettings, expectSeenByOperators } from "../seen-by-operators.ts";

describe("Redis Cluster, three primaries with a replica each", () => {
  const shared = new AsyncDisposableStack();
  let cluster: OwnCluster;
  let system: System;
  let api: RunningProcess;

  beforeAll(async () => {
    cluster = shared.use(await ownCluster());
    system = shared.use(await aSystem({ redisUrl: cluster.url }));
    api = await system.api(consoleSettings(system));
    await system.consumer();
  }, 60_000);
  afterAll(() => shared.disposeAsync());

  const owner = () => cluster.ownerOf(system.keys.events);
  /** Between the two, the slot has no owner. */
  const untilPromoted = (old: RedisNode) => eventually(async () => (await owner().catch(() => old)) !== old, 30_000);

  test("ops doctor, ops status and the console read it", async () => {
    await expectSent(system, api, [await signUpAt(api)]);
    await expectSeenByOperators(system, api);
  }, 30_000);

  test("a slot without an owner (CLUSTERDOWN) under load: signups wait, health says why, and work flows when it has one", async () => {
    const node = await owner();
    const slot = String(await ask(node.port, "CLUSTER", "KEYSLOT", system.keys.events));
    await flowsAfter("CLUSTERDOWN", { system, api }, async () => {
      for (const { port } of cluster.nodes) await ask(port, "CLUSTER", "DELSLOTS", slot);
      await eventually(async () => (await (await fetch(`${api.url}/readyz`)).text()).includes("CLUSTERDOWN"), 20_000);
      await ask(node.port, "CLUSTER", "ADDSLOTS", slot);
      await cluster.untilWhole();
    });
  }, 90_000);

  test("a slot that stays half moved (TRYAGAIN, ASK) under load: nothing is lost, and work flows when it has moved", async () => {
    await cluster.untilWhole();
    const old = await owner();
    const other = await cluster.primaryBeside(old);
    const keys = [`{${system.streamName}}:here`, `{${system.streamName}}:there`] as const;
    for (const key of keys) await ask(old.port, "SET", key, "1");
    await flowsAfter("a half-moved slot", { system, api }, async () => {
      await cluster.beginMove(keys[0], old, other);
      await ask(old.port, "MIGRATE", "127.0.0.1", String(other.port), keys[1], "0", "5000");
      // What our own commands meet depends on which of their keys have moved; this one has one here and one there.
      const importing = new Redis(other.port, "127.0.0.1");
      await importing.call("ASKING");
      const refused = await importing.mget(...keys).catch(String);
      importing.disconnect();
      expect(refusalOf(String(refused).replace("ReplyError: ", ""))).toBe("TRYAGAIN");
      await signUpAt(api);
      await cluster.moveSlot(keys[0], old, other);
    });
  }, 90_000);

  test("CLUSTER FAILOVER under load: work flows at the new primary", async () => {
    const old = await owner();
    await flowsAfter("CLUSTER FAILOVER", { system, api }, async () => {
      await ask((await cluster.replicaOf(old)).port, "CLUSTER", "FAILOVER");
      await untilPromoted(old);
    });
  }, 60_000);

  test("a slot that moves under load", async () => {
    await cluster.untilWhole();
    const old = await owner();
    const other = await cluster.primaryBeside(old);
    await flowsAfter("a slot that moves", { system, api }, () => cluster.moveSlot(system.keys.events, old, other));
  }, 60_000);

  test("kill -9 of the primary under load", async () => {
    await cluster.untilWhole();
    const old = await owner();
    try {
      await flowsAfter("kill -9", { system, api }, async () => {
        await old.kill();
        await untilPromoted(old);
      });
    } finally {
      await old.start();
    }
  }, 60_000);

  test("SIGSTOP of the primary under load: its connections stay open, and silent", async () => {
    await cluster.untilWhole();
    const old = await owner();
    try {
      await flowsAfter("SIGSTOP", { system, api }, async () => {
        old.freeze();
        await untilPromoted(old);
      });
    } finally {
      old.thaw();
    }
  }, 60_000);

  test("a primary without a replica is killed, and comes back empty, under load: all of it returns from the ledger", async () => {
    await cluster.untilWhole();
    const lonely = await owner();
    const replica = await cluster.replicaOf(lonely);
    await replica.kill();
    try {
      await flowsAfter("empty again", { system, api }, async () => {
        await Promise.all(Array.from({ length: 20 }, () => signUpAt(api)));
        await lonely.kill();
        await eventually(async () => (await (await fetch(`${api.url}/readyz`)).text()).includes("redis"), 20_000);
        await lonely.start();
        await eventually(async () => (await owner().catch(() => undefined)) === lonely, 30_000);
      });
      expect(await ask(lonely.port, "EXISTS", system.keys.events)).toBe(1);
    } finally {
      await replica.start();
    }
  }, 90_000);
});

test("encrypted, with passwords: each node is asked, and the promoted one is followed, by TLS alone", async () => {
  await using cluster = await ownCluster({ password: "of-the-users" });
  await using system = await aSystem({ redisUrl: cluster.url });
  const api = await system.api(consoleSettings(system));
  await system.consumer();
  await expectSent(system, api, [await signUpAt(api)]);
  await expectSeenByOperators(system, api);
  const owner = () => cluster.ownerOf(system.keys.events);
  const old = await owner();
  await flowsAfter("CLUSTER FAILOVER, encrypted", { system, api }, async () => {
    await ask((await cluster.replicaOf(old)).port, "CLUSTER", "FAILOVER");
    await eventually(async () => (await owner().catch(() => old)) !== old, 30_000);
  });
  await expectSeenByOperators(system, api);
}, 120_000);
