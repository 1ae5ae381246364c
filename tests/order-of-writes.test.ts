import { describe, expect, test } from "bun:test";
import type { AtCheckpoint, Checkpoint } from "../consumers/engine/checkpoint.ts";
import { factory as notice } from "../consumers/notice-email/group.ts";
import { factory as payments } from "../consumers/payments/group.ts";
import { factory as reminder } from "../consumers/reminder-email/group.ts";
import { factoryFor } from "../consumers/webhooks/group.ts";
import { createPaymentWriter } from "../database/payments/request.ts";
import { createSignupWriter } from "../database/users/signup.ts";
import { randomHex, randomTraceContext } from "../observability/trace-context.ts";
import { loadSettings } from "../settings/load.ts";
import { enqueueLogged } from "../stream/enqueue.ts";
import { paymentRequested } from "../stream/events/payment-requested.ts";
import { USER_SIGNUP_REPEATED } from "../stream/events/user-signup-repeated.ts";
import { boundGroups, type Group, groupsOf, NOTICE_EMAIL, PAYMENTS, REMINDER_EMAIL } from "../stream/groups.ts";
import { eventually } from "./eventually.ts";
import { startMailServer } from "./mail-server.ts";
import { aPipeline, aSignup, type Pipeline, redisUrl, silentLog, type TestConsumer } from "./pipeline.ts";
import { aReceiver } from "./webhook-receiver.ts";

/** A group as it is shipped, with the other side that its work acts on. */
interface World extends AsyncDisposable {
  readonly pipeline: Pipeline;
  readonly group: Group;
  /** Makes an event of the group's; returns its id. */
  add(): Promise<string>;
  start(at?: AtCheckpoint): Promise<TestConsumer>;
  /** How often the effect of an event took place. */
  effects(eventId: string): Promise<number> | number;
}

interface Row {
  readonly name: string;
  readonly open: () => Promise<World>;
  /** Whether a consumer that dies with it leaves nothing uncertain. */
  readonly isIdempotent: boolean;
  /** How often the effect takes place if the consumer dies after it, and before the ledger knows. */
  readonly effectsIfRepeated: number;
}

const environment = { DATABASE_URL: "postgres://127.0.0.1/none", REDIS_URL: redisUrl(), RETRY_DELAY_MS: "50" };

const withPayments = async (): Promise<World> => {
  const pipeline = await aPipeline([PAYMENTS]);
  const { db, redis, keys } = pipeline;
  const writer = createPaymentWriter(db, boundGroups([PAYMENTS]));
  const settings = loadSettings("consumer", environment);
  const userOf = new Map<string, string>();
  const [currency, balance, amount] = ["VND", 500n, 200n];
  return {
    pipeline,
    group: PAYMENTS,
    async add() {
      const [userId, transactionId] = [Bun.randomUUIDv7(), `order-${randomHex(6)}`];
      const parts = { ...paymentRequested(transactionId), ...randomTraceContext(randomHex) };
      const event = { eventId: Bun.randomUUIDv7(), ...parts };
      await db.insertInto("accounts").values({ user_id: userId, currency, balance }).execute();
      await writer.write({ transactionId, userId, amount, currency, event });
      await enqueueLogged(redis, keys.events, [
        { event_id: event.eventId, ...parts, tracestate: null, created_at: new Date() },
      ]);
      userOf.set(event.eventId, userId);
      return event.eventId;
    },
    start: (at) => pipeline.open((own) => payments.open(PAYMENTS, { settings, db: own, log: silentLog }), at && { at }),
    async effects(eventId) {
      const ofUser = db
        .selectFrom("accounts")
        .select("balance")
        .where("user_id", "=", userOf.get(eventId) ?? "");
      return Number(balance - BigInt((await ofUser.executeTakeFirstOrThrow()).balance)) / Number(amount);
    },
    [Symbol.asyncDispose]: () => pipeline[Symbol.asyncDispose](),
  };
};

const withReceiver = async (): Promise<World> => {
  const server = await aReceiver();
  const settings = loadSettings("consumer", {
    ...environment,
    WEBHOOKS: "crm",
    WEBHOOK_ALLOW_PRIVATE: "true",
    WEBHOOK_CRM_URL: server.url,
    WEBHOOK_CRM_SECRET: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
  });
  const [group] = groupsOf(settings, []);
  const [receiver] = settings.receivers;
  if (group === undefined || receiver === undefined) throw new Error("there is no receiver in the settings");
  const pipeline = await aPipeline([group]);
  return {
    pipeline,
    group,
    add: async () => (await pipeline.signUp(aSignup()))[0] ?? "",
    start: (at) =>
      pipeline.open((db) => factoryFor(receiver).open(group, { settings, db, log: silentLog }), at && { at }),
    effects: (eventId) => server.received.filter(({ headers }) => headers["webhook-id"] === eventId).length,
    async [Symbol.asyncDispose]() {
      await pipeline[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
};

/** A group that sends mail; `add` makes an event of its own, else a signup is one. */
const withMail = async (
  group: Group,
  factory: typeof reminder | typeof notice,
  add: (pipeline: Pipeline) => Promise<string> = async (pipeline) => (await pipeline.signUp(aSignup()))[0] ?? "",
): Promise<World> => {
  const server = await startMailServer();
  const settings = loadSettings("consumer", {
    ...environment,
    MAIL_SERVER: "127.0.0.1",
    MAIL_PORT: String(server.port),
    MAIL_TLS: "none",
    MAIL_FROM: "welcome@toblug.example",
  });
  const pipeline = await aPipeline([group]);
  return {
    pipeline,
    group,
    add: () => add(pipeline),
    start: (at) => pipeline.open((db) => factory.open(group, { settings, db, log: silentLog }), at && { at }),
    effects: (eventId) => server.taken.filter(({ raw }) => raw.includes(`Message-ID: <${eventId}.`)).length,
    async [Symbol.asyncDispose]() {
      await pipeline[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
};

/** Somebody signs up again with the address of a user who signed up long ago. */
const repeatASignup = async ({ db, redis, keys, writeOnly }: Pipeline): Promise<string> => {
  const user = aSignup();
  await writeOnly(user);
  await db
    .updateTable("users")
    .set({ created_at: new Date(0) })
    .where("id", "=", user.userId)
    .execute();
  const disclosure = { kind: "private", repeatedType: USER_SIGNUP_REPEATED } as const;
  const again = aSignup({ email: user.email, emailKey: user.emailKey });
  const result = await createSignupWriter(db, boundGroups([NOTICE_EMAIL]), disclosure).write(again);
  if (result.kind !== "created" || result.event === undefined) throw new Error("the signup was not repeated");
  const { eventId, traceparent } = again.event;
  const event = { ...result.event, event_id: eventId, traceparent, tracestate: null, created_at: result.createdAt };
  await enqueueLogged(redis, keys.events, [event]);
  return eventId;
};

const withReminder = () => withMail({ ...REMINDER_EMAIL, delayMs: 0 }, reminder);
const withNotice = () => withMail(NOTICE_EMAIL, notice, repeatASignup);

const ROWS: readonly Row[] = [
  { name: "payments", open: withPayments, isIdempotent: true, effectsIfRepeated: 1 },
  { name: "webhook-crm", open: withReceiver, isIdempotent: true, effectsIfRepeated: 2 },
  { name: "reminder-email", open: withReminder, isIdempotent: false, effectsIfRepeated: 2 },
  { name: "notice-email", open: withNotice, isIdempotent: false, effectsIfRepeated: 2 },
];

/** What the next owner finds, by the step at which the consumer dies. */
const FOUND = {
  claimed: "active",
  attempted: "active",
  recorded: "done",
  moved: "done",
  noted: "active",
  read: "queued",
} as const satisfies Record<Checkpoint, string>;

/** Steps after which the ledger does not know how the attempt ended. */
const IN_THE_DARK: readonly Checkpoint[] = ["claimed", "attempted", "noted"];

const AFTER_THE_EFFECT: readonly Checkpoint[] = ["attempted", "noted", "recorded", "moved"];

/** A consumer that dies with one event at each step. `noted` is reached without the ledger; `read` blocks the reader. */
const dieAtEachStep = async (world: World): Promise<ReadonlyMap<Checkpoint, string>> => {
  const stepOf = new Map<string, Checkpoint>();
  const reached = new Set<string>();
  let next: Checkpoint = "claimed";
  let noted = "";
  const first: TestConsumer = await world.start(async (step, eventId) => {
    // An event may be read before its id is known here.
    if (!stepOf.has(eventId)) stepOf.set(eventId, next);
    // A busy machine may lose the lease before the work begins: what is released untried comes again.
    if (AFTER_THE_EFFECT.includes(step) && (await world.effects(eventId)) === 0) return;
    if (stepOf.get(eventId) === "noted" && step === "attempted") {
      noted = eventId;
      await first.db.destroy();
    }
    if (stepOf.get(eventId) !== step) return;
    reached.add(eventId);
    await new Promise<void>(() => {});
  });
  const events = new Map<Checkpoint, string>();
  for (const step of ["claimed", "attempted", "recorded", "moved", "noted", "read"] as const) {
    next = step;
    const eventId = await world.add();
    events.set(step, eventId);
    await eventually(() => reached.has(eventId));
  }
  expect(events.get("noted")).toBe(noted);
  first.crash();
  return events;
};

describe("if a consumer dies between two writes, the next one finds what is right, and does what is left, in", () => {
  test.each(ROWS.map((row) => [row.name, row] as const))("%s", async (_, row) => {
    await using world = await row.open();
    const { pipeline, group } = world;
    const { redis, keys } = pipeline;
    const events = await dieAtEachStep(world);
    for (const [step, eventId] of events) {
      expect([step, (await pipeline.status(eventId, group.name))?.state]).toEqual([step, FOUND[step]]);
    }

    await world.start();
    for (const [step, eventId] of events) {
      await eventually(async () => (await pipeline.status(eventId, group.name))?.state === "done");
      expect([step, await world.effects(eventId)]).toEqual([step, step === "attempted" ? row.effectsIfRepeated : 1]);
      const uncertain = !row.isIdempotent && IN_THE_DARK.includes(step) ? 1 : 0;
      const status = await pipeline.status(eventId, group.name);
      expect([step, status?.attempts, status?.uncertain]).toEqual([step, 1, uncertain]);
    }
    for (const stream of [keys.events, keys.retriesStream(group.name)]) {
      await eventually(async () => (await redis.xpending(stream, group.name))[0] === 0);
    }
    expect(await redis.zcard(keys.retrySet(group.name))).toBe(0);
  });
});
