import { describe, expect, test } from "bun:test";
import { factory } from "../consumers/payments/group.ts";
import { createPaymentWriter, type NewPayment } from "../database/payments/request.ts";
import { findTransactions } from "../database/payments/transactions.ts";
import { randomHex, randomTraceContext } from "../observability/trace-context.ts";
import { replay } from "../ops/actions/replay.ts";
import { anOperator } from "../ops/operator-for-tests.ts";
import { loadSettings } from "../settings/load.ts";
import { enqueueLogged } from "../stream/enqueue.ts";
import { paymentRequested } from "../stream/events/payment-requested.ts";
import { boundGroups, PAYMENTS } from "../stream/groups.ts";
import { eventually } from "./eventually.ts";
import { aPipeline, type Pipeline, redisUrl, silentLog, type TestConsumer } from "./pipeline.ts";
import { aStranger } from "./stranger.ts";

const CURRENCY = "VND";

const anAccount = async ({ db }: Pipeline, balance: bigint): Promise<string> => {
  const userId = Bun.randomUUIDv7();
  await db.insertInto("accounts").values({ user_id: userId, currency: CURRENCY, balance }).execute();
  return userId;
};

const balanceOf = async ({ db }: Pipeline, userId: string): Promise<bigint> => {
  const row = await db.selectFrom("accounts").select("balance").where("user_id", "=", userId).executeTakeFirstOrThrow();
  return BigInt(row.balance);
};

const aPayment = (userId: string, amount: bigint, parts: Partial<NewPayment> = {}): NewPayment => {
  const transactionId = parts.transactionId ?? `order-${randomHex(6)}`;
  const event = { eventId: Bun.randomUUIDv7(), ...paymentRequested(transactionId), ...randomTraceContext(randomHex) };
  return { transactionId, userId, amount, currency: CURRENCY, event, ...parts };
};

/** Writes payments, and publishes each event as often as is said. */
const request = async (pipeline: Pipeline, payments: readonly NewPayment[], copies = 1): Promise<void> => {
  const writer = createPaymentWriter(pipeline.db, boundGroups([PAYMENTS]));
  await Promise.all(payments.map((payment) => writer.write(payment)));
  const events = await pipeline.db.selectFrom("events").selectAll().execute();
  for (let copy = 0; copy < copies; copy += 1) await enqueueLogged(pipeline.redis, pipeline.keys.events, events);
  await pipeline.db.deleteFrom("outbox").execute();
};

/** A consumer of the group as it is shipped. */
const aConsumer = (pipeline: Pipeline): Promise<TestConsumer> => {
  const environment = { DATABASE_URL: pipeline.url, REDIS_URL: redisUrl(), RETRY_DELAY_MS: "50" };
  const settings = loadSettings("consumer", environment);
  return pipeline.open((db) => factory.open(PAYMENTS, { settings, db, log: silentLog }));
};

const statusOf = async ({ db }: Pipeline, { transactionId }: NewPayment) =>
  (await findTransactions(db, [transactionId])).get(transactionId);

const allFinal = (pipeline: Pipeline, payments: readonly NewPayment[]) =>
  eventually(async () => {
    for (const { event } of payments) {
      if ((await pipeline.status(event.eventId, PAYMENTS.name))?.state !== "done") return false;
    }
    return true;
  });

describe("a payment", () => {
  test("debits its account once, and says so", async () => {
    await using pipeline = await aPipeline([PAYMENTS]);
    const userId = await anAccount(pipeline, 500n);
    const payment = aPayment(userId, 200n);
    await request(pipeline, [payment], 5);
    await Promise.all([aConsumer(pipeline), aConsumer(pipeline)]);
    await allFinal(pipeline, [payment]);
    expect(await balanceOf(pipeline, userId)).toBe(300n);
    expect(await statusOf(pipeline, payment)).toMatchObject({ status: "completed", reason: null });
  });

  test("without enough money, without an account, in another currency: recorded, without a retry or a dead letter", async () => {
    await using pipeline = await aPipeline([PAYMENTS]);
    const userId = await anAccount(pipeline, 100n);
    const payments = [
      aPayment(userId, 101n),
      aPayment(Bun.randomUUIDv7(), 1n),
      aPayment(userId, 1n, { currency: "EUR" }),
    ];
    await request(pipeline, payments);
    await aConsumer(pipeline);
    await allFinal(pipeline, payments);
    const found = await Promise.all(payments.map((payment) => statusOf(pipeline, payment)));
    expect(found.map((each) => [each?.status, each?.reason])).toEqual([
      ["rejected", "insufficient_funds"],
      ["rejected", "no_such_account"],
      ["rejected", "no_such_account"],
    ]);
    expect(await balanceOf(pipeline, userId)).toBe(100n);
    expect(await pipeline.redis.xlen(pipeline.keys.dead(PAYMENTS.name))).toBe(0);
    for (const { event } of payments) {
      expect(await pipeline.status(event.eventId, PAYMENTS.name)).toMatchObject({ attempts: 1 });
    }
  });

  test("many at one account, by three consumers: no more than there is, and exact to the unit", async () => {
    await using pipeline = await aPipeline([PAYMENTS]);
    const userId = await anAccount(pipeline, 1_000n);
    const payments = Array.from({ length: 60 }, (_, index) => aPayment(userId, BigInt(10 + index)));
    await request(pipeline, payments, 2);
    await Promise.all([aConsumer(pipeline), aConsumer(pipeline), aConsumer(pipeline)]);
    await allFinal(pipeline, payments);
    const found = await Promise.all(payments.map((payment) => statusOf(pipeline, payment)));
    const debited = found
      .filter((each) => each?.status === "completed")
      .reduce((sum, each) => sum + (each?.amount ?? 0n), 0n);
    expect(await balanceOf(pipeline, userId)).toBe(1_000n - debited);
    expect(debited).toBeGreaterThan(900n);
  });

  test("of an account that somebody else has locked wait for it apart: those of others are done meanwhile", async () => {
    await using pipeline = await aPipeline([PAYMENTS]);
    const [locked, other] = [await anAccount(pipeline, 1_000n), await anAccount(pipeline, 1_000n)];
    const stuck = Array.from({ length: 12 }, () => aPayment(locked, 10n));
    const free = Array.from({ length: 6 }, () => aPayment(other, 10n));
    await request(pipeline, [...stuck, ...free]);
    await using stranger = await aStranger(pipeline.url, `select from accounts where user_id = '${locked}' for update`);
    await aConsumer(pipeline);
    await allFinal(pipeline, free);
    const states = await Promise.all(stuck.map(({ event }) => pipeline.status(event.eventId, PAYMENTS.name)));
    expect(states.filter((each) => (each?.attempts ?? 0) > 0).length).toBeLessThan(stuck.length / 2);
    await stranger.end("rollback");
    await allFinal(pipeline, stuck);
    expect([await balanceOf(pipeline, locked), await balanceOf(pipeline, other)]).toEqual([880n, 940n]);
  });

  test("that is replayed twice, all of it again, debits once", async () => {
    await using pipeline = await aPipeline([PAYMENTS]);
    const userId = await anAccount(pipeline, 500n);
    const payments = [aPayment(userId, 100n), aPayment(userId, 50n)];
    await request(pipeline, payments);
    await aConsumer(pipeline);
    await allFinal(pipeline, payments);
    for (let time = 0; time < 2; time += 1) {
      const from = { kind: "time", at: new Date(0) } as const;
      const report = await replay(anOperator(pipeline), PAYMENTS, { from, again: { kind: "all" }, rate: 10_000 });
      expect(report.repeated).toBe(2);
      await allFinal(pipeline, payments);
    }
    expect(await balanceOf(pipeline, userId)).toBe(350n);
  });

  test("that was made by hand for no transaction is cancelled", async () => {
    await using pipeline = await aPipeline([PAYMENTS]);
    const event = { event_id: Bun.randomUUIDv7(), ...paymentRequested("nothing"), ...randomTraceContext(randomHex) };
    await enqueueLogged(pipeline.redis, pipeline.keys.events, [{ ...event, tracestate: null, created_at: new Date() }]);
    await aConsumer(pipeline);
    await eventually(async () => (await pipeline.status(event.event_id, PAYMENTS.name))?.state === "cancelled");
  });
});
