import { describe, expect, test } from "bun:test";
import { sql } from "kysely";
import { startReconciler } from "../../api/background/reconciler.ts";
import { redrive } from "../../ops/actions/redrive.ts";
import { anOperator } from "../../ops/operator-for-tests.ts";
import { encodeEvent, loggedEvent } from "../../stream/events/envelope.ts";
import { eventually } from "../eventually.ts";
import { silentLog } from "../pipeline.ts";
import { stopAt } from "../stop-at.ts";
import { anOrder, anOrderPipeline, aStock, type Orders, STOCK } from "./orders.ts";

/** Writes an entry by hand: neither log nor ledger know of it. */
const addByHand = async ({ pipeline: { redis, keys } }: Orders, ...events: readonly ReturnType<typeof anOrder>[]) => {
  for (const event of events) await redis.xadd(keys.events, "*", ...encodeEvent(loggedEvent(event)));
};

const loggedIds = async ({ pipeline: { db } }: Orders, eventIds: readonly string[]) =>
  (await db.selectFrom("events").select("event_id").where("event_id", "in", eventIds).execute()).map(
    (row) => row.event_id,
  );

describe.concurrent("an event that is in no table", () => {
  test("is taken into the log and the ledger, once for each group, and done", async () => {
    await using orders = await anOrderPipeline();
    const stock = aStock();
    const order = anOrder();
    await orders.consumer(stock.work);
    await addByHand(orders, order, order);
    await orders.settled([order.event_id]);
    await orders.nothingPending();
    expect(stock.reserved).toEqual([order.event_id]);
    expect(await loggedIds(orders, [order.event_id])).toEqual([order.event_id]);
    await orders.othersUntouched([order.event_id]);
  });

  test.each([
    [true, "cancelled", 1],
    [false, "done", 2],
  ] as const)("if it is the second of its subject, oncePerSubject %p: %s", async (oncePerSubject, state, reserved) => {
    await using orders = await anOrderPipeline();
    const stock = aStock();
    const first = anOrder();
    const second = { ...first, event_id: Bun.randomUUIDv7() };
    await orders.consumer(stock.work, { oncePerSubject });
    await orders.place(first);
    await orders.settled([first.event_id]);
    await addByHand(orders, second);
    await orders.settled([second.event_id], state);
    await orders.nothingPending();
    expect(stock.reserved).toHaveLength(reserved);
    expect(await orders.status(second.event_id)).toMatchObject({ reason: oncePerSubject ? "done_before" : null });
    await orders.othersUntouched([first.event_id, second.event_id]);
  });
});

test.concurrent("a look-up may cancel, suppress, or know nothing: nothing is done, and the ledger says why", async () => {
  await using orders = await anOrderPipeline();
  const stock = aStock();
  const [withdrawn = "", forbidden = "", unknown = "", good = ""] = await orders.place(
    ...[1, 2, 3, 4].map(() => anOrder()),
  );
  await orders.consumer(stock.work, {
    prepare: async () =>
      new Map([
        [withdrawn, { kind: "cancel", reason: "order_withdrawn" }],
        [forbidden, { kind: "suppress", reason: "embargo" }],
        [good, { kind: "ready", input: "shelf 3" }],
      ]),
  });
  await orders.settled([good]);
  await orders.settled([withdrawn, unknown], "cancelled");
  await orders.settled([forbidden], "suppressed");
  await orders.nothingPending();
  expect(await orders.status(withdrawn)).toMatchObject({ reason: "order_withdrawn", attempts: 0 });
  expect(await orders.status(forbidden)).toMatchObject({ reason: "embargo", attempts: 0 });
  expect(await orders.status(unknown)).toMatchObject({ reason: "not_found", attempts: 0 });
  expect(stock.reserved).toEqual([good]);
  expect(await orders.letters()).toEqual([]);
  await orders.othersUntouched([withdrawn, forbidden, unknown, good]);
});

test.concurrent("a delay before the first attempt is kept, and survives the loss of everything in Redis", async () => {
  // Longer than the test: its time comes when the test says so.
  const delayed = { ...STOCK, delayMs: 600_000 };
  await using orders = await anOrderPipeline({ stock: delayed });
  const { db, redis, keys, groups } = orders.pipeline;
  const stock = aStock();
  const [eventId = ""] = await orders.place(anOrder());
  const consumer = await orders.consumer(stock.work);
  await orders.othersUntouched([eventId]);
  await eventually(async () => (await redis.zcard(keys.retrySet(STOCK.name))) === 1);
  expect(await orders.status(eventId)).toMatchObject({ state: "queued", attempts: 0 });
  expect(stock.reserved).toEqual([]);
  consumer.crash();
  await redis.del(...(await redis.keys(`{${orders.pipeline.streamName}}*`)));
  const soon = sql<Date>`now() + interval '500 ms'`;
  await db
    .updateTable("deliveries")
    .set({ next_try_at: soon, published_at: soon })
    .where("group_name", "=", STOCK.name)
    .execute();
  const dueAt = (await orders.status(eventId))?.nextTryAt ?? new Date(0);

  await orders.consumer(stock.work);
  await using _ = startReconciler({ db, redis, keys, groups, log: silentLog }, { reconcileAfterMs: 200 });
  await orders.settled([eventId]);
  const claimed = (await orders.status(eventId))?.timeline.find(({ state }) => state === "active");
  expect(new Date(claimed?.at ?? 0).getTime()).toBeGreaterThanOrEqual(dueAt.getTime());
  expect(stock.reserved).toEqual([eventId]);
  await orders.othersUntouched([eventId]);
});

test.concurrent("an order that is too old is dead, reason expired, in the group that has an expiry", async () => {
  await using orders = await anOrderPipeline();
  const stock = aStock();
  const [eventId = ""] = await orders.place(anOrder());
  await orders.othersUntouched([eventId]);
  await orders.consumer(stock.work, { expireAfterMs: 1 });
  await orders.settled([eventId], "dead");
  expect(await orders.status(eventId)).toMatchObject({ reason: "expired", attempts: 0 });
  await eventually(async () => (await orders.letters()).length > 0);
  expect(await orders.letters()).toEqual(["expired"]);
  expect(stock.reserved).toEqual([]);
});

describe.concurrent("an event that a group cannot read", () => {
  /** Publishes it with a delivery to the stock, and starts a consumer that reads it. */
  const unreadable = async (orders: Orders, parts: Parameters<typeof anOrder>[0]) => {
    const order = anOrder(parts);
    const delivery = { group_name: STOCK.name, event_id: order.event_id };
    await orders.write(order);
    await orders.pipeline.db
      .insertInto("deliveries")
      .values(delivery)
      .onConflict((row) => row.doNothing())
      .execute();
    await orders.publish(order);
    const stock = aStock();
    const consumer = await orders.consumer(stock.work);
    await orders.settled([order.event_id], "dead");
    await eventually(async () => (await orders.letters()).length > 0);
    return { eventId: order.event_id, stock, consumer };
  };
  const newVersion = { type: "order.placed.v2" };

  test.each([
    ["malformed", { data: { order_id: "no id", quantity: 0 } }],
    ["unknown_version", newVersion],
  ])("is one dead letter, reason %s: the reconciler does not bring it back", async (reason, parts) => {
    await using orders = await anOrderPipeline();
    const { db, redis, keys, groups } = orders.pipeline;
    const { eventId, stock } = await unreadable(orders, parts);
    expect(await orders.status(eventId)).toMatchObject({ state: "dead", reason, attempts: 0 });
    const [lost = ""] = await orders.write(anOrder());
    await db.deleteFrom("outbox").execute();
    await using _ = startReconciler({ db, redis, keys, groups, log: silentLog }, { reconcileAfterMs: 100 });
    await orders.settled([lost]);
    await orders.nothingPending();
    expect(await orders.letters()).toEqual([reason]);
    expect(stock.reserved).toEqual([lost]);
    await orders.othersUntouched([lost]);
  });

  test("whose consumer dies between ledger and dead letter is one dead letter all the same", async () => {
    await using orders = await anOrderPipeline();
    const { redis, keys } = orders.pipeline;
    const stop = stopAt("recorded");
    const first = await orders.consumer(aStock().work, stop);
    const [eventId = ""] = await orders.place(anOrder({ data: { order_id: "no id" } }));
    await stop.reached;
    first.crash();
    expect(await orders.status(eventId)).toMatchObject({ state: "dead", reason: "malformed" });
    expect(await orders.letters()).toEqual([]);
    await orders.consumer(aStock().work);
    await orders.nothingPending();
    expect(await orders.letters()).toEqual(["malformed"]);
    expect(await redis.hkeys(keys.deadIndex(STOCK.name))).toEqual([eventId]);
    await orders.othersUntouched([eventId]);
  });

  test("is done when it is redriven to a consumer that can read it", async () => {
    await using orders = await anOrderPipeline();
    const { eventId, stock, consumer } = await unreadable(orders, newVersion);
    await consumer.stop();
    await orders.consumer(stock.work, { knownTypes: [newVersion.type] });
    const report = await redrive(anOperator(orders.pipeline), STOCK, { kind: "all" });
    expect(report).toMatchObject({ letters: 1, redriven: 1, byReason: { unknown_version: 1 } });
    await orders.settled([eventId]);
    expect(stock.reserved).toEqual([eventId]);
    expect(await orders.letters()).toEqual([]);
  });

  test("but whose id is that of a sound one, does the sound one no harm", async () => {
    await using orders = await anOrderPipeline();
    const stock = aStock();
    const order = anOrder();
    await orders.write(order);
    await addByHand(orders, { ...order, data: { order_id: "no id" } });
    await orders.consumer(stock.work);
    await eventually(async () => (await orders.letters()).length > 0);
    expect(await orders.status(order.event_id)).toMatchObject({ state: "queued" });
    await orders.publish(order);
    await orders.settled([order.event_id]);
    expect(stock.reserved).toEqual([order.event_id]);
  });
});
