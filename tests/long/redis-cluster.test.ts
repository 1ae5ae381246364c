import { afterAll, beforeAll, describe, test } from "bun:test";
import { eventually } from "../eventually.ts";
import { flowsAfter } from "../flow.ts";
import { type OwnCluster, ownCluster } from "../own-cluster.ts";
import { aSystem, type RunningProcess, type System } from "../processes.ts";
import { ask, type RedisNode } from "../redis-node.ts";

describe("Redis Cluster, three primaries with a replica each", () => {
  const shared = new AsyncDisposableStack();
  let cluster: OwnCluster;
  let system: System;
  let api: RunningProcess;

  beforeAll(async () => {
    cluster = shared.use(await ownCluster());
    system = shared.use(await aSystem({ redisUrl: cluster.url }));
    api = await system.api();
    await system.consumer();
  }, 60_000);
  afterAll(() => shared.disposeAsync());

  const owner = () => cluster.ownerOf(system.keys.events);
  /** Between the two, the slot has no owner. */
  const untilPromoted = (old: RedisNode) => eventually(async () => (await owner().catch(() => old)) !== old, 30_000);

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
});
