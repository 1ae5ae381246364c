import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { openBroker } from "../../ops/actions/celery/open-broker.ts";
import { eventually } from "../eventually.ts";
import { expectSent, flowsAfter } from "../flow.ts";
import { MASTER, type OwnSentinels, ownSentinels } from "../own-sentinels.ts";
import { aSystem, type RunningProcess, type System, signUpAt } from "../processes.ts";
import { ask, type RedisNode } from "../redis-node.ts";
import { consoleSettings, expectSeenByOperators } from "../seen-by-operators.ts";

describe("Redis by three sentinels, a primary and two replicas", () => {
  const shared = new AsyncDisposableStack();
  let redis: OwnSentinels;
  let system: System;
  let api: RunningProcess;

  beforeAll(async () => {
    redis = shared.use(await ownSentinels());
    system = shared.use(await aSystem({ redisUrl: redis.url }));
    api = await system.api(consoleSettings(system));
    await system.consumer();
  }, 60_000);
  afterAll(() => shared.disposeAsync());

  const untilPromoted = (old: RedisNode, withinMs = 30_000) =>
    eventually(async () => (await redis.primary()) !== old, withinMs);

  test("ops doctor, ops status and the console read it", async () => {
    await expectSent(system, api, [await signUpAt(api)]);
    await expectSeenByOperators(system, api);
  }, 30_000);

  test("a queue of Celery is found behind them", async () => {
    const names = {
      results: undefined,
      queue: "celery",
      keyPrefix: "",
      resultsKeyPrefix: undefined,
      separator: undefined,
    };
    const broker = await openBroker({ broker: redis.url, ...names });
    const { port } = await redis.primary();
    await broker.queue.lock();
    expect(await ask(port, "EXISTS", "signup-stream:import:celery:lock")).toBe(1);
    await broker.queue.unlock();
    broker.close();
  });

  test("SENTINEL FAILOVER under load: work flows at the new primary", async () => {
    await redis.untilReplicated();
    const old = await redis.primary();
    await flowsAfter("SENTINEL FAILOVER", { system, api }, async () => {
      await ask(redis.sentinels[0] ?? 0, "SENTINEL", "FAILOVER", MASTER);
      await untilPromoted(old);
    });
  }, 60_000);

  test("kill -9 of the primary under load", async () => {
    await redis.untilReplicated();
    const old = await redis.primary();
    await flowsAfter("kill -9", { system, api }, async () => {
      await old.kill();
      await untilPromoted(old);
    });
    await old.start();
  }, 60_000);

  test("SIGSTOP of the primary under load: its connections stay open, and silent", async () => {
    await redis.untilReplicated();
    const old = await redis.primary();
    try {
      await flowsAfter("SIGSTOP", { system, api }, async () => {
        old.freeze();
        await untilPromoted(old);
      });
      // Live pages, too: who only listens notices nothing by itself.
      const { port } = await redis.primary();
      const subscribers = () => ask(port, "PUBSUB", "NUMSUB", system.keys.status);
      await eventually(async () => {
        const answer = await subscribers();
        return Array.isArray(answer) && Number(answer[1]) === 1;
      });
    } finally {
      old.thaw();
    }
  }, 60_000);

  test("two failovers, one right after the other, under load", async () => {
    await redis.untilReplicated();
    const old = await redis.primary();
    await flowsAfter("two failovers", { system, api }, async () => {
      await old.kill();
      await untilPromoted(old);
      const second = await redis.primary();
      await old.start();
      await ask(old.port, "REPLICAOF", "127.0.0.1", String(second.port));
      await eventually(async () => {
        const answer = await ask(redis.sentinels[0] ?? 0, "SENTINEL", "FAILOVER", MASTER).catch(String);
        return answer === "OK";
      }, 30_000);
      await untilPromoted(second);
    });
  }, 120_000);

  test("most sentinels are gone, then back, while the primary serves and while it changes", async () => {
    await redis.untilReplicated();
    const old = await redis.primary();
    await flowsAfter("no majority of sentinels", { system, api }, async () => {
      redis.freezeSentinels(2);
      // Connections that break meanwhile must find their way back with one sentinel that answers.
      await ask(old.port, "CLIENT", "KILL", "TYPE", "normal");
    });
    await old.kill();
    const during = await signUpAt(api);
    redis.thawSentinels();
    // A sentinel that was stopped fails nothing over for 30 s (TILT), and for as long again whenever the machine holds it up for two.
    await untilPromoted(old, 150_000);
    await expectSent(system, api, [during]);
    await old.start();
  }, 200_000);

  test("a replica that lags is promoted: what it never had comes back from the ledger, once", async () => {
    await redis.untilReplicated();
    await system.endConsumers();
    const old = await redis.primary();
    const others = redis.nodes.filter((node) => node !== old);
    for (const { port } of others) {
      await ask(port, "CONFIG", "SET", "masteruser", "nobody");
      await ask(port, "CONFIG", "SET", "masterauth", "wrong");
    }
    // They cannot come back, and keep what they have.
    await ask(old.port, "CLIENT", "KILL", "TYPE", "replica");
    const signups = await Promise.all(Array.from({ length: 30 }, () => signUpAt(api)));
    const outbox = () => system.database.db.selectFrom("outbox").select("event_id").execute();
    await eventually(async () => (await outbox()).length === 0);
    const had = Number(await ask(old.port, "XLEN", system.keys.events));
    await old.kill();
    await untilPromoted(old);
    const promoted = await redis.primary();
    expect(Number(await ask(promoted.port, "XLEN", system.keys.events))).toBeLessThanOrEqual(had - signups.length);
    for (const { port } of others) await ask(port, "CONFIG", "SET", "masterauth", "");
    await system.consumer();
    await expectSent(system, api, signups);
  }, 60_000);
});

test("encrypted, with passwords: sentinels are asked, and followed to the promoted server, by TLS alone", async () => {
  await using redis = await ownSentinels({ password: "of-the-users" });
  await using system = await aSystem({ redisUrl: redis.url });
  const api = await system.api(consoleSettings(system));
  await system.consumer();
  await expectSent(system, api, [await signUpAt(api)]);
  await expectSeenByOperators(system, api);
  const old = await redis.primary();
  await flowsAfter("SENTINEL FAILOVER, encrypted", { system, api }, async () => {
    await ask(redis.sentinels[0] ?? 0, "SENTINEL", "FAILOVER", MASTER);
    await eventually(async () => (await redis.primary()) !== old, 30_000);
  });
  await expectSeenByOperators(system, api);
}, 120_000);
