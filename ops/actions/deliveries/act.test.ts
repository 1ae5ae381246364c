import { expect, test } from "bun:test";
import { listActions } from "../../../database/audit.ts";
import { findJob } from "../../../database/jobs.ts";
import type { DeliveryState } from "../../../database/ledger/states.ts";
import { findDeliveries } from "../../../database/ledger/status.ts";
import { NOTICE_EMAIL, WELCOME_EMAIL } from "../../../stream/groups.ts";
import { eventually } from "../../../tests/eventually.ts";
import { anOutbox, aPipeline, aSignup, type Pipeline } from "../../../tests/pipeline.ts";
import { anOperator, deadLetter } from "../../operator-for-tests.ts";
import { actOnDeliveries, previewAction } from "./act.ts";
import { DELIVERY_ACTIONS } from "./decide.ts";
import { startJob } from "./job.ts";

interface Kind {
  readonly state: DeliveryState;
  readonly reason?: string;
  readonly isEarly?: boolean;
  readonly user?: "suppressed" | "erased";
}

/** A delivery of each kind that the actions tell apart. */
const KINDS: readonly Kind[] = [
  { state: "dead", reason: "mailbox_full" },
  { state: "dead", reason: "no_such_address", user: "suppressed" },
  { state: "dead", reason: "mailbox_full", user: "erased" },
  { state: "dead", reason: "malformed" },
  { state: "dead", reason: "dropped_by_operator" },
  { state: "suppressed", reason: "address_suppressed", user: "suppressed" },
  { state: "suppressed", reason: "address_suppressed" },
  { state: "held", reason: "uncertain" },
  { state: "held", reason: "domain_refuses", user: "suppressed" },
  { state: "queued" },
  { state: "queued", isEarly: true },
  { state: "retrying", reason: "greylisted", isEarly: true },
  { state: "retrying", reason: "greylisted", isEarly: true, user: "suppressed" },
  { state: "uncertain", reason: "cut_off", isEarly: true },
  { state: "active" },
  { state: "done" },
  { state: "cancelled", reason: "no_such_user" },
];

const HOUR_MS = 3_600_000;

const putAll = async ({ db }: Pipeline, eventIds: readonly string[]): Promise<void> => {
  for (const [index, { state, reason = null, isEarly = false }] of KINDS.entries()) {
    const next_try_at = isEarly ? new Date(Date.now() + HOUR_MS) : null;
    const lease_until = state === "active" ? new Date(Date.now() + HOUR_MS) : null;
    const row = { state, reason, next_try_at, lease_until };
    await db
      .updateTable("deliveries")
      .set(row)
      .where("event_id", "=", eventIds[index] ?? "")
      .execute();
  }
};

const aMixture = async (pipeline: Pipeline): Promise<readonly string[]> => {
  const { db } = pipeline;
  const signups = KINDS.map(() => aSignup());
  for (const signup of signups) await pipeline.writeOnly(signup);
  await db.deleteFrom("outbox").execute();
  for (const [index, { user }] of KINDS.entries()) {
    const signup = signups[index];
    if (signup === undefined) continue;
    const suppression = { email_key: signup.emailKey, reason: "no_such_address", event_id: signup.event.eventId };
    if (user === "suppressed") await db.insertInto("suppressions").values(suppression).execute();
    if (user === "erased") await db.deleteFrom("users").where("id", "=", signup.userId).execute();
  }
  return signups.map(({ event }) => event.eventId);
};

test("a preview tells what each action then does to each of a mixed set", async () => {
  await using pipeline = await aPipeline();
  const operator = anOperator(pipeline);
  const eventIds = await aMixture(pipeline);
  const chosen = { kind: "chosen", eventIds } as const;
  const statesNow = async () =>
    Object.fromEntries((await findDeliveries(pipeline.db, ...eventIds)).map((row) => [row.eventId, row.state]));
  const all = {
    retry: { queued: 3, cancelled_no_user: 1, unreadable: 1, stays_suppressed: 2, stays_held: 2, stays_retrying: 3 },
    "retry-now": { queued: 3, suppressed: 1, stays_queued: 1, stays_dead: 4, stays_discarded: 1, stays_suppressed: 2 },
    hold: { held: 5, stays_held: 2, stays_dead: 4, stays_discarded: 1, stays_suppressed: 2 },
    release: { queued: 1, suppressed: 1, stays_queued: 2, stays_retrying: 3, stays_dead: 4, stays_discarded: 1 },
    discard: { discarded: 11, stays_discarded: 1, stays_suppressed: 2 },
  };
  const changes = { retry: 5, "retry-now": 4, hold: 5, release: 2, discard: 11 };
  for (const action of DELIVERY_ACTIONS) {
    await putAll(pipeline, eventIds);
    const before = await statesNow();
    const preview = await previewAction(operator, action, WELCOME_EMAIL, chosen);
    expect(await statesNow()).toEqual(before);
    expect(preview.outcomes).toMatchObject({ stays_done: 1, stays_cancelled: 1, stays_in_flight: 1 });
    expect(preview.outcomes).toMatchObject(all[action]);
    expect(preview.changed).toBe(changes[action]);
    expect(await actOnDeliveries(operator, action, WELCOME_EMAIL, chosen)).toEqual(preview);
  }
});

test("all of a reason are retried, those with a letter and those whose letter Redis has lost; the suppressed keep theirs", async () => {
  await using pipeline = await aPipeline();
  const { db, redis, keys } = pipeline;
  const operator = anOperator(pipeline);
  const eventIds = await deadLetter(pipeline, 4, "no_such_address");
  const [others = ""] = await deadLetter(pipeline, 1, "content_refused");
  const [first = "", second = ""] = eventIds;
  await redis.hdel(keys.deadIndex(WELCOME_EMAIL.name), first);
  const user = await db
    .selectFrom("events")
    .innerJoin("users", (join) => join.onRef("users.id", "=", (eb) => eb.cast("events.subject", "uuid")))
    .select("email_key")
    .where("event_id", "=", second)
    .executeTakeFirstOrThrow();
  await db
    .insertInto("suppressions")
    .values({ ...user, reason: "no_such_address", event_id: second })
    .execute();
  const selection = { kind: "all", state: "dead", reason: "no_such_address" } as const;
  const preview = await previewAction(operator, "retry", WELCOME_EMAIL, selection);
  expect(preview.outcomes).toEqual({ queued: 3, stays_suppressed: 1 });
  expect(await actOnDeliveries(operator, "retry", WELCOME_EMAIL, selection)).toEqual(preview);
  const outbox = anOutbox();
  await pipeline.consumer(outbox.work);
  await eventually(() => outbox.sent.length === 3);
  expect((await pipeline.status(second))?.state).toBe("dead");
  expect((await pipeline.status(others))?.state).toBe("dead");

  await db.deleteFrom("suppressions").execute();
  expect(await actOnDeliveries(operator, "retry", WELCOME_EMAIL, selection)).toMatchObject({ changed: 1 });
  await eventually(() => outbox.sent.length === 4);
  expect(new Set(outbox.sent)).toEqual(new Set(eventIds));
});

test("what is held before its attempt is not done until it is released; what waits for a retry is done at once", async () => {
  await using pipeline = await aPipeline();
  const operator = anOperator(pipeline);
  const down = await pipeline.consumer(async () => ({ kind: "transient", reason: "busy" }), { retryDelayMs: HOUR_MS });
  const eventIds = await pipeline.signUp(aSignup(), aSignup());
  const [held = "", hastened = ""] = eventIds;
  await eventually(async () => (await pipeline.status(held))?.state === "retrying");
  await eventually(async () => (await pipeline.status(hastened))?.state === "retrying");
  await down.stop();
  const one = (eventId: string) => ({ kind: "chosen", eventIds: [eventId] }) as const;
  expect(await actOnDeliveries(operator, "hold", WELCOME_EMAIL, one(held))).toMatchObject({ outcomes: { held: 1 } });
  await actOnDeliveries(operator, "retry-now", WELCOME_EMAIL, { kind: "all", state: "retrying" });
  const outbox = anOutbox();
  await pipeline.consumer(outbox.work);
  await eventually(() => outbox.sent.length === 1);
  expect(outbox.sent).toEqual([hastened]);
  expect(await pipeline.status(held)).toMatchObject({ state: "held", reason: "held_by_operator" });
  await actOnDeliveries(operator, "release", WELCOME_EMAIL, { kind: "all", state: "held" });
  await eventually(() => outbox.sent.length === 2);
  expect((await pipeline.status(held))?.timeline.map(({ by, reason }) => `${by} ${reason}`)).toContain(
    "ops held_by_operator",
  );
});

test("a run that is stopped ends after its batch, and continues when it is run again", async () => {
  await using pipeline = await aPipeline();
  await deadLetter(pipeline, 1_100);
  const stop = new AbortController();
  const operator = anOperator(pipeline, { signal: stop.signal, onProgress: () => stop.abort() });
  const selection = { kind: "all", state: "dead" } as const;
  const stopped = await actOnDeliveries(operator, "retry", WELCOME_EMAIL, selection);
  expect(stopped).toMatchObject({ changed: 1_000, stopped: true });
  const rest = await actOnDeliveries(anOperator(pipeline), "retry", WELCOME_EMAIL, selection);
  expect(rest).toMatchObject({ looked: 100, changed: 100, stopped: false });
});

test("a job for every group leaves a record in the audit log only for those in which something is meant", async () => {
  await using pipeline = await aPipeline([NOTICE_EMAIL, WELCOME_EMAIL]);
  await deadLetter(pipeline, 2);
  const selection = {
    kind: "all",
    groups: pipeline.groups.map(({ name }) => name),
    state: "dead",
    before: new Date(Date.now() + 60_000).toISOString(),
  } as const;
  const order = { jobId: Bun.randomUUIDv7(), actor: "lan", action: "retry", selection, total: 2 } as const;
  await (await startJob(anOperator(pipeline), order)).ended;
  const records = await listActions(pipeline.db, { limit: 10 });
  expect(records.map(({ action, group }) => [action, group])).toEqual([["deliveries", WELCOME_EMAIL.name]]);
  expect(await findJob(pipeline.db, order.jobId)).toMatchObject({ done: 2, outcomes: { queued: 2 } });
});
