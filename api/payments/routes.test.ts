import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { randomHex } from "../../observability/trace-context.ts";
import { type TestDatabase, withTestDatabase } from "../../tests/database.ts";
import { anApp, SERVICE_TOKEN } from "../app-for-tests.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await withTestDatabase();
});
afterAll(() => database.drop());

const aPayment = (parts: Readonly<Record<string, unknown>> = {}) => ({
  transaction_id: `order-${randomHex(6)}`,
  user_id: Bun.randomUUIDv7(),
  amount: 150_000,
  currency: "VND",
  ...parts,
});

const authorized = { Authorization: `Bearer ${SERVICE_TOKEN}` };
const post = (body: unknown, headers: Readonly<Record<string, string>> = authorized) =>
  new Request("http://127.0.0.1/api/v1/payments", {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
const get = (path: string, headers: Readonly<Record<string, string>> = authorized) =>
  new Request(`http://127.0.0.1${path}`, { headers });

describe("POST /api/v1/payments", () => {
  test("202: transaction, event, delivery and outbox row are committed, and the event is published", async () => {
    const { app, committed } = anApp(database.db);
    const payment = aPayment();
    const response = await app.fetch(post(payment));
    expect(response.status).toBe(202);
    const href = `/api/v1/payments/${payment.transaction_id}`;
    const at = expect.stringMatching(/^\d{4}-.*Z$/);
    expect(await response.json()).toEqual({ ...payment, status: "queued", href, created_at: at });
    expect(response.headers.get("location")).toBe(href);
    const data = { transaction_id: payment.transaction_id };
    expect(committed).toMatchObject([{ type: "payment.requested.v1", subject: payment.transaction_id, data }]);
    const rows = await database.db
      .selectFrom("events")
      .innerJoin("deliveries", "deliveries.event_id", "events.event_id")
      .innerJoin("outbox", "outbox.event_id", "events.event_id")
      .select(["group_name", "state", "data"])
      .where("subject", "=", payment.transaction_id)
      .execute();
    expect(rows).toEqual([{ group_name: "payments", state: "queued", data }]);
  });

  test("the same again, from 20 clients at once and by two apis: the same answer, one event", async () => {
    const apis = [anApp(database.db), anApp(database.db)];
    const payment = aPayment();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => apis[index % 2]?.app.fetch(post(payment))),
    );
    const texts = await Promise.all(answers.map((answer) => answer?.text()));
    expect(new Set(answers.map((answer) => answer?.status))).toEqual(new Set([202]));
    expect(new Set(texts).size).toBe(1);
    expect(apis.flatMap(({ committed }) => committed)).toHaveLength(1);
  });

  test("another amount, user or currency under the same transaction id: 409, and nothing is written", async () => {
    const { app, committed } = anApp(database.db);
    const payment = aPayment();
    await app.fetch(post(payment));
    for (const other of [{ amount: 1 }, { user_id: Bun.randomUUIDv7() }, { currency: "EUR" }]) {
      const response = await app.fetch(post({ ...payment, ...other }));
      expect(response.status).toBe(409);
      expect(await response.json()).toMatchObject({ code: "transaction_id_reused" });
    }
    expect(committed).toHaveLength(1);
  });

  test("401 without the service token; 422 names every faulty field", async () => {
    const { app } = anApp(database.db);
    expect((await app.fetch(post(aPayment(), {}))).status).toBe(401);
    expect((await app.fetch(get("/api/v1/payments/x", {}))).status).toBe(401);
    const faulty = { transaction_id: "a b", user_id: "7", amount: -1, currency: "vnd" };
    const response = await app.fetch(post(faulty));
    expect(response.status).toBe(422);
    const { errors }: { errors: { pointer: string; code: string }[] } = await response.json();
    expect(errors.map(({ pointer, code }) => [pointer, code])).toEqual([
      ["#/transaction_id", "transaction_id_invalid"],
      ["#/user_id", "user_id_invalid"],
      ["#/amount", "amount_invalid"],
      ["#/currency", "currency_unknown"],
    ]);
    for (const transactionId of [".", "..", "a b", "\0"]) {
      expect((await app.fetch(post(aPayment({ transaction_id: transactionId })))).status).toBe(422);
    }
    for (const amount of [0, 1.5, "1", 2 ** 60]) {
      expect((await app.fetch(post(aPayment({ amount })))).status).toBe(422);
    }
  });
});

describe("GET /api/v1/payments/{transaction_id}", () => {
  test("tells what became of a payment; 404 for one that is unknown", async () => {
    const { app } = anApp(database.db);
    const payment = aPayment({ transaction_id: `a/b?c#${randomHex(4)}` });
    const { href }: { href: string } = await (await app.fetch(post(payment))).json();
    const waiting = await (await app.fetch(get(href))).json();
    expect(waiting).toMatchObject({ ...payment, status: "queued", reason: null, settled_at: null });
    for (const id of ["unknown", "%00", "a%00b", "%ff", "a%20b", "x".repeat(200)]) {
      const missing = await app.fetch(get(`/api/v1/payments/${id}`));
      expect([missing.status, await missing.json()]).toEqual([
        404,
        expect.objectContaining({ code: "payment_not_found" }),
      ]);
    }
  });
});
