import { describe, expect, test } from "bun:test";
import { startReconciler } from "../../api/background/reconciler.ts";
import { eventually } from "../eventually.ts";
import { silentLog } from "../pipeline.ts";
import { anOrder, anOrderPipeline, aStock, ORDER_PLACED, STOCK } from "./orders.ts";

const refusedConnection = () => Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });

describe("a group's code that throws", () => {
  test("in the look-up of one order: it is retried and then dead, and the others are done", async () => {
    await using orders = await anOrderPipeline();
    const stock = aStock();
    const placed = Array.from({ length: 10 }, () => anOrder());
    const [bad = "", ...good] = placed.map((order) => order.event_id);
    await orders.consumer(stock.work, {
      retryMax: 1,
      retryDelayMs: 20,
      prepare: async (pieces) => {
        if (pieces.some(({ eventId }) => eventId === bad)) throw new TypeError("undefined is not an object");
        return new Map(pieces.map(({ eventId }) => [eventId, { kind: "ready", input: "shelf 1" }]));
      },
    });
    await orders.place(...placed);
    await orders.settled(good);
    await orders.settled([bad], "dead");
    expect(await orders.status(bad)).toMatchObject({ reason: "retries_exhausted", attempts: 2, uncertain: 0 });
    expect([...stock.reserved].sort()).toEqual([...good].sort());
    await orders.nothingPending();
    await orders.othersUntouched([bad, ...good]);
  });

  test("in its work: that says nothing about the system, whose breaker opens all the same", async () => {
    await using orders = await anOrderPipeline();
    let calls = 0;
    const consumer = await orders.consumer(
      async () => {
        calls += 1;
        if (calls % 2 === 0) throw new TypeError("undefined is not an object");
        return { kind: "unavailable", reason: "warehouse_away" };
      },
      { retryMax: 100, retryDelayMs: 20, concurrency: 1 },
    );
    const eventIds = await orders.place(...Array.from({ length: 4 }, () => anOrder()));
    await eventually(() => consumer.breaker() === "open");
    expect(calls).toBe(9);
    for (const eventId of eventIds) expect(await orders.status(eventId)).toMatchObject({ uncertain: 0 });
  });

  test("because its store is away, also after the commit point of idempotent work: no attempt is used up", async () => {
    await using orders = await anOrderPipeline();
    const stock = aStock();
    let failures = 0;
    await orders.consumer(
      async (...args) => {
        const [, , attempt] = args;
        failures += 1;
        if (failures === 1) throw refusedConnection();
        if (failures === 2 && attempt.commit()) throw refusedConnection();
        return stock.work(...args);
      },
      { retryMax: 0, retryDelayMs: 20 },
    );
    const [eventId = ""] = await orders.place(anOrder());
    await orders.settled([eventId]);
    expect(failures).toBe(3);
    expect(await orders.status(eventId)).toMatchObject({ attempts: 1, uncertain: 0 });
  });

  test("with a reason that Postgres cannot hold: the outcome is recorded without what cannot be held", async () => {
    await using orders = await anOrderPipeline();
    await orders.consumer(async () => ({ kind: "rejected", reason: "no \u0000 stock\ud800", reply: "\u0000" }));
    const [eventId = ""] = await orders.place(anOrder());
    await orders.settled([eventId], "dead");
    expect((await orders.status(eventId))?.reason).toBe("no  stock\ufffd");
    await orders.nothingPending();
  });
});

test("a group that binds to fewer types than before: what it had open is dead, reason not_bound, and comes back no more", async () => {
  await using orders = await anOrderPipeline();
  const { db, redis, keys, groups } = orders.pipeline;
  const eventIds = await orders.place(anOrder(), anOrder());
  const narrow = { ...STOCK, types: ["order.shipped.v1"] };
  const stock = aStock();
  await orders.pipeline.start(() => ({ ...orders.definition(stock.work), group: narrow }), {
    knownTypes: ["order.shipped.v1", ORDER_PLACED],
  });
  await orders.nothingPending();
  for (const eventId of eventIds) expect((await orders.status(eventId))?.state).toBe("queued");
  await using _ = startReconciler({ db, redis, keys, groups, log: silentLog }, { reconcileAfterMs: 200 });
  await orders.settled(eventIds, "dead");
  await eventually(async () => (await orders.letters()).length === 2);
  expect(await orders.letters()).toEqual(["not_bound", "not_bound"]);
  for (const eventId of eventIds) expect((await orders.status(eventId))?.reason).toBe("not_bound");
  await orders.nothingPending();
  expect(stock.reserved).toEqual([]);
});

test("an outcome that was written, but not answered for: the entry does not stay pending, and the retry is kept", async () => {
  await using orders = await anOrderPipeline();
  const { db, redis, keys } = orders.pipeline;
  await orders.consumer(async () => ({ kind: "transient", reason: "try_later" }), {
    claimMinIdleMs: 600_000,
    at: async (step, eventId) => {
      if (step !== "attempted") return;
      // What the first write, of which the answer was lost, has left.
      await db
        .updateTable("deliveries")
        .set({ state: "retrying", lease_until: null, next_try_at: new Date(Date.now() + 600_000) })
        .where("event_id", "=", eventId)
        .where("group_name", "=", STOCK.name)
        .execute();
    },
  });
  const [eventId = ""] = await orders.place(anOrder());
  await orders.nothingPending();
  await eventually(async () => (await redis.zcard(keys.retrySet(STOCK.name))) === 1);
  expect(await orders.status(eventId)).toMatchObject({ state: "retrying", attempts: 0 });
});

test("a second call of commit() does not undo the first: work that hangs then is uncertain, not released", async () => {
  await using orders = await anOrderPipeline();
  const committed = Promise.withResolvers<void>();
  const consumer = await orders.consumer(
    async (_claim, _shelf, attempt) => {
      attempt.commit();
      attempt.signal.addEventListener("abort", () => attempt.commit());
      committed.resolve();
      return new Promise(() => {});
    },
    { isIdempotent: false, drainTimeoutMs: 600, retryDelayMs: 600_000 },
  );
  const [eventId = ""] = await orders.place(anOrder());
  await committed.promise;
  await consumer.stop();
  expect(await orders.status(eventId)).toMatchObject({ state: "uncertain", uncertain: 1 });
});

test("a delayed delivery is nothing that Redis lost: it is left alone until it is due", async () => {
  await using orders = await anOrderPipeline({ stock: { ...STOCK, delayMs: 600_000 } });
  const { db } = orders.pipeline;
  const order = anOrder();
  await orders.write(order);
  const row = await db
    .selectFrom("deliveries")
    .select(["published_at", "next_try_at"])
    .where("event_id", "=", order.event_id)
    .where("group_name", "=", STOCK.name)
    .executeTakeFirstOrThrow();
  expect(row.published_at).toEqual(row.next_try_at ?? new Date(0));
});
