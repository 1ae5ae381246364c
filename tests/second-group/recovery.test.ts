import { describe, expect, test } from "bun:test";
import { startReconciler } from "../../api/background/reconciler.ts";
import { startRelay } from "../../api/background/relay.ts";
import { dropHeld, releaseHeld } from "../../ops/actions/held.ts";
import { redrive } from "../../ops/actions/redrive.ts";
import { type ReplayOptions, replay } from "../../ops/actions/replay.ts";
import { anOperator } from "../../ops/operator-for-tests.ts";
import { eventually } from "../eventually.ts";
import { silentLog } from "../pipeline.ts";
import { stopAt } from "../stop-at.ts";
import { anOrder, anOrderPipeline, aStock, type Orders, STOCK } from "./orders.ts";

const orderList = (count: number) => Array.from({ length: count }, () => anOrder());

const everything: ReplayOptions = { from: { kind: "time", at: new Date(0) }, again: { kind: "none" }, rate: 100_000 };

/** As FLUSHALL would, for this test's keys. */
const loseRedis = async ({ pipeline: { redis, streamName } }: Orders): Promise<void> => {
  const lost = await redis.keys(`{${streamName}}*`);
  expect(lost.length).toBeGreaterThan(0);
  await redis.del(...lost);
};

const reconciling = ({ pipeline: { db, redis, keys, groups } }: Orders) =>
  startReconciler({ db, redis, keys, groups, log: silentLog }, { reconcileAfterMs: 200 });

describe.concurrent("the loss of all keys in Redis", () => {
  test("costs a second group nothing: queued, retrying and pending orders come back, and its peers do nothing again", async () => {
    await using orders = await anOrderPipeline();
    const stock = aStock();
    const [retrying = "", pending = "", done = ""] = await orders.place(...orderList(3));
    const isStuck = Promise.withResolvers<void>();
    const first = await orders.consumer(
      async (...args) => {
        const [{ eventId }] = args;
        if (eventId === retrying) return { kind: "transient", reason: "shelf_locked" };
        if (eventId === done) return stock.work(...args);
        isStuck.resolve();
        return new Promise(() => {});
      },
      { retryDelayMs: 1_000 },
    );
    await isStuck.promise;
    await orders.settled([retrying], "retrying");
    await orders.settled([done]);
    first.crash();
    const [queued = ""] = await orders.place(anOrder());
    await orders.othersUntouched([retrying, pending, done, queued]);
    await loseRedis(orders);

    await orders.consumer(stock.work);
    await using _ = reconciling(orders);
    await orders.settled([retrying, pending, queued]);
    expect([...stock.reserved].sort()).toEqual([retrying, pending, done, queued].sort());
    expect(await orders.status(retrying)).toMatchObject({ attempts: 2, uncertain: 0 });
    expect(await orders.status(pending)).toMatchObject({ attempts: 1, uncertain: 0 });
    await orders.othersUntouched([retrying, pending, done, queued]);
  });
});

test.concurrent("an order whose process died before its XADD is relayed: done once in each group, whatever its type", async () => {
  await using orders = await anOrderPipeline();
  const { db, redis, keys } = orders.pipeline;
  const stock = aStock();
  await orders.consumer(stock.work);
  const eventIds = await orders.write(...orderList(3));
  await using _ = startRelay({ db, redis, keys, log: silentLog }, { olderThanMs: 0, everyMs: 50 });
  await orders.settled(eventIds);
  expect([...stock.reserved].sort()).toEqual([...eventIds].sort());
  await eventually(async () => (await db.selectFrom("outbox").select("event_id").execute()).length === 0);
  await orders.othersUntouched(eventIds);
});

test.concurrent("a redrive is one group's alone: its dead orders are done, with fresh counters", async () => {
  await using orders = await anOrderPipeline();
  const stock = aStock();
  let isClosed = true;
  await orders.consumer(async (...args) =>
    isClosed ? { kind: "rejected", reason: "sold_out", reply: "no" } : stock.work(...args),
  );
  const eventIds = await orders.place(...orderList(3));
  await orders.settled(eventIds, "dead");
  await orders.othersUntouched(eventIds);
  isClosed = false;
  expect(await redrive(anOperator(orders.pipeline), STOCK, { kind: "all" })).toMatchObject({ redriven: 3 });
  await orders.settled(eventIds);
  for (const eventId of eventIds) expect(await orders.status(eventId)).toMatchObject({ attempts: 1, uncertain: 0 });
  expect([...stock.reserved].sort()).toEqual([...eventIds].sort());
  expect(await orders.letters()).toEqual([]);
  await orders.othersUntouched(eventIds);
});

test.concurrent("without an idempotent effect, under the policy hold: an operator releases one order and drops another", async () => {
  await using orders = await anOrderPipeline();
  const stock = aStock();
  const holding = { isIdempotent: false, uncertain: "hold", concurrency: 2 } as const;
  const stop = stopAt("attempted", stock.reserved);
  const first = await orders.consumer(stock.work, { ...holding, ...stop });
  const eventIds = await orders.place(...orderList(2));
  const [released = "", dropped = ""] = eventIds;
  await stop.reached;
  await eventually(() => stock.reserved.length === 2);
  first.crash();

  await orders.consumer(stock.work, holding);
  await orders.settled(eventIds, "held");
  await orders.nothingPending();
  expect(stock.reserved).toHaveLength(2);
  const operator = anOperator(orders.pipeline);
  expect(await releaseHeld(operator, STOCK, [released])).toEqual([released]);
  expect(await dropHeld(operator, STOCK, [dropped])).toEqual([dropped]);
  await orders.settled([released]);
  expect(await orders.status(released)).toMatchObject({ uncertain: 1, attempts: 1 });
  expect(await orders.status(dropped)).toMatchObject({ state: "dead", uncertain: 1, reason: "dropped_by_operator" });
  expect(stock.reserved.filter((eventId) => eventId === released)).toHaveLength(2);
  expect(stock.reserved.filter((eventId) => eventId === dropped)).toHaveLength(1);
  await orders.othersUntouched(eventIds);
});

describe.concurrent("a replay of the log", () => {
  test("does an order again that is named, in the one group, and nothing else", async () => {
    await using orders = await anOrderPipeline();
    const stock = aStock();
    await orders.consumer(stock.work);
    const eventIds = await orders.place(...orderList(3));
    await orders.settled(eventIds);
    await orders.othersUntouched(eventIds);
    await loseRedis(orders);
    const operator = anOperator(orders.pipeline);
    const [again = ""] = eventIds;
    expect(await replay(operator, STOCK, everything)).toMatchObject({
      added: 0,
      repeated: 0,
      closed: { done: 3 },
      otherTypes: 1,
    });
    const named = { ...everything, again: { kind: "events", eventIds: [again] } } as const;
    expect(await replay(operator, STOCK, named)).toMatchObject({ repeated: 1, closed: { done: 2 }, otherTypes: 1 });
    await eventually(() => stock.reserved.length === 4);
    await orders.settled([again]);
    expect([...stock.reserved].sort()).toEqual([...eventIds, again].sort());
    await orders.othersUntouched(eventIds);
  });

  test("gives a group that is new the orders from before it was there", async () => {
    await using orders = await anOrderPipeline();
    const { db } = orders.pipeline;
    const stock = aStock();
    const eventIds = await orders.place(...orderList(3));
    await orders.othersUntouched(eventIds);
    // As if the group had come later: no delivery of its own, and its entries long trimmed.
    await db.deleteFrom("deliveries").where("group_name", "=", STOCK.name).execute();
    await loseRedis(orders);
    expect(await replay(anOperator(orders.pipeline), STOCK, everything)).toMatchObject({ added: 3, otherTypes: 1 });
    await orders.consumer(stock.work);
    await orders.settled(eventIds);
    expect([...stock.reserved].sort()).toEqual([...eventIds].sort());
    await orders.othersUntouched(eventIds);
  });
});
