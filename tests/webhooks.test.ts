import { describe, expect, test } from "bun:test";
import { Webhook } from "standardwebhooks";
import { z } from "zod";
import { factoryFor } from "../consumers/webhooks/group.ts";
import { PAYLOADS } from "../consumers/webhooks/payload.ts";
import { createPaymentWriter } from "../database/payments/request.ts";
import { randomHex, randomTraceContext } from "../observability/trace-context.ts";
import { textOf } from "../ops/operator-for-tests.ts";
import { loadSettings } from "../settings/load.ts";
import { enqueueLogged } from "../stream/enqueue.ts";
import { paymentRequested } from "../stream/events/payment-requested.ts";
import { USER_CONFIRMATION_REQUESTED } from "../stream/events/user-confirmation-requested.ts";
import { USER_EMAIL_VERIFIED } from "../stream/events/user-email-verified.ts";
import { readGroupStatus } from "../stream/group-status.ts";
import { boundGroups, groupsOf } from "../stream/groups.ts";
import { eventually } from "./eventually.ts";
import { ownPort } from "./own-port.ts";
import { aPipeline, aSignup, type Pipeline, redisUrl, silentLog, type TestConsumer } from "./pipeline.ts";
import { aReceiver } from "./webhook-receiver.ts";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const CRM = "webhook-crm";
const AUDIT = "webhook-audit";

const environmentOf = (urls: Readonly<Record<string, string>>, further: Readonly<Record<string, string>> = {}) => ({
  DATABASE_URL: "postgres://127.0.0.1/none",
  REDIS_URL: redisUrl(),
  RETRY_DELAY_MS: "50",
  WEBHOOKS: Object.keys(urls).join(","),
  WEBHOOK_ALLOW_PRIVATE: "true",
  ...Object.fromEntries(
    Object.entries(urls).flatMap(([name, url]) => [
      [`WEBHOOK_${name.toUpperCase()}_URL`, url],
      [`WEBHOOK_${name.toUpperCase()}_SECRET`, SECRET],
    ]),
  ),
  ...further,
});

/** A pipeline with a group for each receiver, and what starts its consumers. */
const withReceivers = async (urls: Readonly<Record<string, string>>, further?: Readonly<Record<string, string>>) => {
  const settings = loadSettings("consumer", environmentOf(urls, further));
  const groups = groupsOf(settings, []);
  const pipeline = await aPipeline(groups);
  const start = (): Promise<TestConsumer[]> =>
    Promise.all(
      groups.map((group, at) => {
        const receiver = settings.receivers[at];
        if (receiver === undefined) throw new Error(`no receiver of ${group.name}`);
        return pipeline.open((db) => factoryFor(receiver).open(group, { settings, db, log: silentLog }));
      }),
    );
  return { pipeline, start };
};

const untilState = (pipeline: Pipeline, eventId: string, state: string, group = CRM) =>
  eventually(async () => {
    const found = await pipeline.status(eventId, group);
    return found?.state === state ? found : undefined;
  });

describe.concurrent("a receiver of webhooks", () => {
  test("gets each signup once, signed, with what it needs", async () => {
    await using receiver = await aReceiver();
    const { pipeline, start } = await withReceivers({ crm: receiver.url });
    await using _ = pipeline;
    await start();
    const signup = aSignup({ locale: "en" });
    const [eventId = ""] = await pipeline.signUp(signup);
    expect(await untilState(pipeline, eventId, "done")).toMatchObject({ attempts: 1, uncertain: 0 });
    expect(receiver.received).toHaveLength(1);
    const [received] = receiver.received;
    expect(received?.headers["webhook-id"]).toBe(eventId);
    expect(received?.headers["content-type"]).toBe("application/json");
    expect(received?.headers["traceparent"]?.slice(3, 35)).toBe(signup.event.traceparent.slice(3, 35));
    const body: unknown = new Webhook(SECRET).verify(received?.body ?? "", received?.headers ?? {});
    expect(body).toMatchObject({
      type: "user.signed_up.v1",
      timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
      data: { user_id: signup.userId, user_name: signup.userName, email: signup.email },
    });
    expect(z.object({ data: PAYLOADS["user.signed_up.v1"].strict() }).safeParse(body).success).toBe(true);
    // The stream still holds ids only.
    expect(JSON.stringify(await pipeline.redis.xrange(pipeline.keys.events, "-", "+"))).not.toContain(signup.email);
  });

  test("learns that an address is confirmed, and nothing of requests that may be about nobody", async () => {
    await using receiver = await aReceiver();
    const { pipeline, start } = await withReceivers({ crm: receiver.url });
    await using _ = pipeline;
    const signup = aSignup();
    const [signedUp = ""] = await pipeline.signUp(signup);
    await start();
    await untilState(pipeline, signedUp, "done");
    const publish = async (type: string): Promise<string> => {
      const eventId = Bun.randomUUIDv7();
      const data = { user_id: signup.userId, locale: "vi" };
      const row = { event_id: eventId, type, subject: signup.userId, data, ...randomTraceContext(randomHex) };
      await enqueueLogged(pipeline.redis, pipeline.keys.events, [{ ...row, tracestate: null, created_at: new Date() }]);
      return eventId;
    };
    await untilState(pipeline, await publish(USER_CONFIRMATION_REQUESTED), "cancelled");
    await untilState(pipeline, await publish(USER_EMAIL_VERIFIED), "done");
    const bodies = receiver.received.map(({ body }): unknown => JSON.parse(body));
    expect(bodies).toHaveLength(2);
    const payload = z.object({ type: z.literal(USER_EMAIL_VERIFIED), data: PAYLOADS[USER_EMAIL_VERIFIED].strict() });
    expect(payload.parse(bodies[1]).data.email).toBe(signup.email);
  });

  test("gets CloudEvents if it is set so, and of the types that it is set to", async () => {
    await using receiver = await aReceiver();
    const { pipeline, start } = await withReceivers(
      { crm: receiver.url },
      { WEBHOOK_CRM_CONTENT_TYPE: "application/cloudevents+json", WEBHOOK_CRM_EVENTS: "payment.#" },
    );
    await using _ = pipeline;
    await start();
    const [userId, transactionId] = [Bun.randomUUIDv7(), `order-${randomHex(4)}`];
    const event = { eventId: Bun.randomUUIDv7(), ...paymentRequested(transactionId), ...randomTraceContext(randomHex) };
    const writer = createPaymentWriter(pipeline.db, boundGroups(pipeline.groups));
    await writer.write({ transactionId, userId, amount: 150_000n, currency: "VND", event });
    const events = await pipeline.db.selectFrom("events").selectAll().execute();
    await enqueueLogged(pipeline.redis, pipeline.keys.events, events);
    await untilState(pipeline, event.eventId, "done");
    expect(receiver.received[0]?.headers["content-type"]).toBe("application/cloudevents+json");
    const body: unknown = JSON.parse(receiver.received[0]?.body ?? "");
    expect(body).toEqual({
      specversion: "1.0",
      id: event.eventId,
      source: "/signup-stream/api",
      type: "payment.requested.v1",
      subject: transactionId,
      time: expect.any(String),
      datacontenttype: "application/json",
      data: {
        transaction_id: transactionId,
        user_id: userId,
        amount: 150_000,
        currency: "VND",
        created_at: expect.any(String),
      },
    });
  });

  test("gets nothing of a user who was erased", async () => {
    await using receiver = await aReceiver();
    const { pipeline, start } = await withReceivers({ crm: receiver.url });
    await using _ = pipeline;
    const signup = aSignup();
    const [eventId = ""] = await pipeline.signUp(signup);
    await pipeline.db.deleteFrom("users").where("id", "=", signup.userId).execute();
    await start();
    expect(await untilState(pipeline, eventId, "cancelled")).toMatchObject({ reason: "no_such_user" });
    expect(receiver.received).toEqual([]);
  });

  test("that is down costs the others nothing, and gets everything when it is back", async () => {
    const port = await ownPort();
    await using audit = await aReceiver();
    const { pipeline, start } = await withReceivers({ crm: `http://127.0.0.1:${port}/hook`, audit: audit.url });
    await using _ = pipeline;
    const [crm, other] = await start();
    const eventIds = await pipeline.signUp(...Array.from({ length: 10 }, () => aSignup()));
    for (const eventId of eventIds) await untilState(pipeline, eventId, "done", AUDIT);
    await eventually(() => crm?.breaker() === "open");
    expect(other?.breaker()).toBe("closed");
    expect(audit.received).toHaveLength(10);
    const states = await Promise.all(eventIds.map((eventId) => pipeline.status(eventId, CRM)));
    expect(states.every((status) => status?.attempts === 0 && status.state !== "dead")).toBe(true);

    await using back = await aReceiver(undefined, port);
    for (const eventId of eventIds)
      await eventually(async () => (await pipeline.status(eventId, CRM))?.state === "done");
    expect(new Set(back.received.map(({ headers }) => headers["webhook-id"]))).toEqual(new Set(eventIds));
  });

  test("that refuses a webhook: it is dead, at once, and only in that group", async () => {
    await using crm = await aReceiver((response) => response.writeHead(422).end("no such field"));
    await using audit = await aReceiver();
    const { pipeline, start } = await withReceivers({ crm: crm.url, audit: audit.url });
    await using _ = pipeline;
    await start();
    const [eventId = ""] = await pipeline.signUp(aSignup());
    expect(await untilState(pipeline, eventId, "dead")).toMatchObject({ reason: "status_422", attempts: 1 });
    await untilState(pipeline, eventId, "done", AUDIT);
    // The ledger is written first.
    await eventually(async () => (await pipeline.redis.xlen(pipeline.keys.dead(CRM))) === 1);
    expect(await pipeline.redis.xlen(pipeline.keys.dead(AUDIT))).toBe(0);
  });

  test("that asks for patience gets it, from every event", async () => {
    const arrivals: number[] = [];
    await using receiver = await aReceiver((response) => {
      arrivals.push(performance.now());
      const isFirst = arrivals.length === 1;
      return response.writeHead(isFirst ? 429 : 200, isFirst ? { "retry-after": "2" } : {}).end();
    });
    const { pipeline, start } = await withReceivers({ crm: receiver.url });
    await using _ = pipeline;
    await start();
    const [first = ""] = await pipeline.signUp(aSignup());
    await untilState(pipeline, first, "retrying");
    const [second = ""] = await pipeline.signUp(aSignup());
    for (const eventId of [first, second]) await untilState(pipeline, eventId, "done");
    const [refused = 0, next = 0] = arrivals;
    expect(arrivals).toHaveLength(3);
    expect(next - refused).toBeGreaterThan(1_900);
  });

  test("that is gone is disabled with a notice, loses nothing, and is enabled again", async () => {
    let isGone = true;
    await using receiver = await aReceiver((response) => response.writeHead(isGone ? 410 : 204).end());
    const { pipeline, start } = await withReceivers({ crm: receiver.url });
    await using _ = pipeline;
    const [consumer] = await start();
    const [first = ""] = await pipeline.signUp(aSignup());
    await eventually(() => consumer?.state() === "paused");
    expect(await readGroupStatus(pipeline.redis, pipeline.keys, CRM)).toMatchObject({
      paused: true,
      pausedFor: "receiver_gone",
      deadLetters: 0,
    });
    expect(await textOf(pipeline, "status")).toContain("paused: receiver_gone");
    const [second = ""] = await pipeline.signUp(aSignup());
    const refused = receiver.received.length;
    isGone = false;
    expect(await pipeline.status(second, CRM)).toMatchObject({ state: "queued" });
    await pipeline.db
      .updateTable("deliveries")
      .set({ queued_at: new Date(0) })
      .execute();
    expect(await textOf(pipeline, "webhook", "enable", "crm")).toContain("webhook-crm is enabled");
    for (const eventId of [first, second]) await untilState(pipeline, eventId, "done");
    expect(receiver.received).toHaveLength(refused + 2);
    expect(await readGroupStatus(pipeline.redis, pipeline.keys, CRM)).toMatchObject({ paused: false, pausedFor: null });
  });

  test("recognises a duplicate: a webhook whose answer was lost comes again under the same id", async () => {
    let requests = 0;
    await using receiver = await aReceiver((response) => {
      requests += 1;
      return requests === 1 ? response.destroy() : response.writeHead(204).end();
    });
    const { pipeline, start } = await withReceivers({ crm: receiver.url });
    await using _ = pipeline;
    await start();
    const [eventId = ""] = await pipeline.signUp(aSignup());
    await untilState(pipeline, eventId, "done");
    expect(receiver.received.map(({ headers }) => headers["webhook-id"])).toEqual([eventId, eventId]);
  });
});
