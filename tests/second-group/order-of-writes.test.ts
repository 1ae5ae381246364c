import { describe, expect, test } from "bun:test";
import type { Checkpoint } from "../../consumers/engine/checkpoint.ts";
import type { DeliveryState } from "../../database/ledger/states.ts";
import { MAIL_UNCERTAIN } from "../../observability/metric-names.ts";
import { eventually } from "../eventually.ts";
import { anOutbox, aPipeline, aSignup, type TestConsumer } from "../pipeline.ts";
import { recordMetrics } from "../recorded-metrics.ts";
import { stopAt } from "../stop-at.ts";
import { anOrder, anOrderPipeline, aStock, STOCK, type StockWork } from "./orders.ts";

interface Row {
  readonly transition: string;
  readonly step: Checkpoint;
  /** What the consumer that dies does; reserves if not given. */
  readonly first?: StockWork;
  readonly retryDelayMs?: number;
  /** What the next owner finds in the ledger. */
  readonly finds: DeliveryState;
  /** How often the effect has taken place in the end. */
  readonly reserved: number;
  readonly attempts: number;
  readonly leaseRanOut: boolean;
}

const later: StockWork = async () => ({ kind: "transient", reason: "shelf_locked" });
const released: StockWork = async () => ({ kind: "released", reason: "stopped" });

const ROWS: readonly Row[] = [
  { transition: "deliver", step: "read", finds: "queued", reserved: 1, attempts: 1, leaseRanOut: false },
  {
    transition: "work, before the effect",
    step: "claimed",
    finds: "active",
    reserved: 1,
    attempts: 1,
    leaseRanOut: true,
  },
  {
    transition: "work, after the effect",
    step: "attempted",
    finds: "active",
    reserved: 2,
    attempts: 1,
    leaseRanOut: true,
  },
  {
    transition: "ledger `done`, not acked",
    step: "recorded",
    finds: "done",
    reserved: 1,
    attempts: 1,
    leaseRanOut: false,
  },
  { transition: "acked", step: "moved", finds: "done", reserved: 1, attempts: 1, leaseRanOut: false },
  {
    transition: "retry, in the ledger alone",
    step: "recorded",
    first: later,
    retryDelayMs: 2_000,
    finds: "retrying",
    reserved: 1,
    attempts: 2,
    leaseRanOut: false,
  },
  {
    transition: "promote, an entry of the retry set",
    step: "moved",
    first: later,
    retryDelayMs: 500,
    finds: "retrying",
    reserved: 1,
    attempts: 2,
    leaseRanOut: false,
  },
  {
    transition: "release, in the ledger alone",
    step: "recorded",
    first: released,
    finds: "queued",
    reserved: 1,
    attempts: 1,
    leaseRanOut: false,
  },
];

const ranOut = (timeline: readonly { readonly reason?: string }[]) =>
  timeline.some(({ reason }) => reason === "lease_ran_out");

describe.concurrent("an idempotent group: if a consumer dies between two writes, the next one does what is left, of", () => {
  test.each(ROWS.map((row) => [row.transition, row] as const))("%s", async (_, row) => {
    await using orders = await anOrderPipeline();
    const stock = aStock();
    const isAfterWork = row.first === undefined && row.step !== "read" && row.step !== "claimed";
    const stop = stopAt(row.step, isAfterWork ? stock.reserved : undefined);
    const delay = row.retryDelayMs === undefined ? {} : { retryDelayMs: row.retryDelayMs };
    const first = await orders.consumer(row.first ?? stock.work, { ...stop, ...delay });
    const [eventId = ""] = await orders.place(anOrder());
    await stop.reached;
    first.crash();
    expect((await orders.status(eventId))?.state).toBe(row.finds);

    await orders.consumer(stock.work);
    await orders.settled([eventId]);
    await orders.nothingPending();
    expect(stock.reserved).toEqual(Array.from({ length: row.reserved }, () => eventId));
    const status = await orders.status(eventId);
    expect(status).toMatchObject({ attempts: row.attempts, uncertain: 0 });
    expect(ranOut(status?.timeline ?? [])).toBe(row.leaseRanOut);
    await orders.othersUntouched([eventId]);
  });

  test("work, the ledger away after the effect: the note says that it is done, so it is not done again", async () => {
    await using orders = await anOrderPipeline();
    const stock = aStock();
    const noted = stopAt("noted");
    const first: TestConsumer = await orders.consumer(stock.work, {
      at: async (step, eventId) => {
        if (step === "attempted" && stock.reserved.includes(eventId)) await first.db.destroy();
        return noted.at(step, eventId);
      },
    });
    const [eventId = ""] = await orders.place(anOrder());
    await noted.reached;
    first.crash();
    expect((await orders.status(eventId))?.state).toBe("active");

    await orders.consumer(stock.work);
    await orders.settled([eventId]);
    await orders.nothingPending();
    expect(stock.reserved).toEqual([eventId]);
    expect(await orders.status(eventId)).toMatchObject({ uncertain: 0 });
    await orders.othersUntouched([eventId]);
  });

  test.each(["recorded", "moved"] as const)("dead-letter, at %s: one letter, with its reason", async (step) => {
    await using orders = await anOrderPipeline();
    const { redis, keys } = orders.pipeline;
    const stock = aStock();
    const stop = stopAt(step);
    const first = await orders.consumer(async () => ({ kind: "rejected", reason: "sold_out", reply: "no" }), stop);
    const [eventId = ""] = await orders.place(anOrder());
    await stop.reached;
    first.crash();
    expect(await orders.status(eventId)).toMatchObject({ state: "dead", reason: "sold_out" });

    await orders.consumer(stock.work);
    await orders.nothingPending();
    expect(await orders.letters()).toEqual(["sold_out"]);
    expect(await redis.hkeys(keys.deadIndex(STOCK.name))).toEqual([eventId]);
    expect(stock.reserved).toEqual([]);
    await orders.othersUntouched([eventId]);
  });
});

test.concurrent("a lease that ran out is counted as uncertain for the group whose effect is not idempotent, and for no other", async () => {
  await using recorded = recordMetrics();
  await using orders = await anOrderPipeline();
  await using mails = await aPipeline();
  const [stock, outbox] = [aStock(), anOutbox()];
  const [orderStop, mailStop] = [stopAt("attempted", stock.reserved), stopAt("attempted", outbox.sent)];
  const dying = [await orders.consumer(stock.work, orderStop), await mails.consumer(outbox.work, mailStop)];
  const [orderId = ""] = await orders.place(anOrder());
  const [mailId = ""] = await mails.signUp(aSignup());
  await Promise.all([orderStop.reached, mailStop.reached]);
  for (const consumer of dying) consumer.crash();

  await orders.consumer(stock.work);
  await mails.consumer(outbox.work);
  await orders.settled([orderId]);
  await eventually(async () => (await mails.status(mailId))?.state === "done");
  const attributes = { "messaging.consumer.group.name": "welcome-email", "signup.uncertain.cause": "lease_ran_out" };
  expect(await recorded.valuesOf(MAIL_UNCERTAIN)).toEqual([{ attributes, value: 1 }]);
});
