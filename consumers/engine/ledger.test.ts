import { describe, expect, test } from "bun:test";
import { sql } from "kysely";
import { codeOf, mayHaveHadEffect } from "../../database/errors.ts";
import { claimDeliveries } from "../../database/ledger/claim.ts";
import { enlistEvents } from "../../database/ledger/replay.ts";
import { asSuperuser } from "../../tests/database.ts";
import { eventually } from "../../tests/eventually.ts";
import { aPipeline, aSignup, type Pipeline } from "../../tests/pipeline.ts";
import { aStranger } from "../../tests/stranger.ts";
import { createLedger } from "./ledger.ts";

const HOUR_MS = 3_600_000;

const ledgerOf = ({ db }: Pipeline, wallClock = () => new Date()) =>
  createLedger(db, {
    group: "welcome-email",
    consumer: "c",
    leaseMs: 10_000,
    expireAfterMs: 72 * HOUR_MS,
    wallClock,
    isIdempotent: false,
    oncePerSubject: false,
    uncertain: "resend",
  });

test("an event that Postgres refuses gets no answer, alone or in a batch; the others get theirs", async () => {
  await using pipeline = await aPipeline();
  const signup = aSignup();
  const wanted = (id: string, tracestate: string) => {
    const { type, subject, data, traceparent } = signup.event;
    return { event_id: id, lookup: "ready", reason: null, type, subject, data, traceparent, tracestate } as const;
  };
  const refused = wanted(Bun.randomUUIDv7(), "x=\u0000");
  const ledger = ledgerOf(pipeline);
  expect((await ledger.adopt([refused], Bun.randomUUIDv7())).size).toBe(0);
  const other = Bun.randomUUIDv7();
  const adopted = await ledger.adopt([refused, wanted(other, "x=1")], Bun.randomUUIDv7());
  expect([...adopted].map(([id, { kind }]) => [id, kind])).toEqual([[other, "taken"]]);
});

test("adopted one by one, some are taken before the rest is refused: the failure may have had an effect", async () => {
  await using pipeline = await aPipeline();
  const { type, subject, data, traceparent } = aSignup().event;
  const [taken, refused, cancelled] = [Bun.randomUUIDv7(), Bun.randomUUIDv7(), Bun.randomUUIDv7()];
  const wanted = (event_id: string, tracestate: string) =>
    ({ event_id, lookup: "ready", reason: null, type, subject, data, traceparent, tracestate }) as const;
  await sql`create function cancel() returns trigger language plpgsql as $$
    begin raise exception 'canceling statement' using errcode = '57014'; end $$`.execute(pipeline.db);
  await sql
    .raw(`create trigger cancel before insert on deliveries for each row
      when (new.event_id = '${cancelled}') execute function cancel()`)
    .execute(pipeline.db);
  const ledger = ledgerOf(pipeline);
  const failureOf = (...events: readonly ReturnType<typeof wanted>[]) =>
    ledger.adopt(events, Bun.randomUUIDv7()).then(
      () => undefined,
      (error: unknown) => error,
    );
  const failure = await failureOf(wanted(taken, "x=1"), wanted(refused, "x=\u0000"), wanted(cancelled, "x=1"));
  expect([codeOf(failure), mayHaveHadEffect(failure)]).toEqual(["57014", true]);
  expect((await pipeline.status(taken))?.state).toBe("active");
  expect(mayHaveHadEffect(await failureOf(wanted(cancelled, "x=1")))).toBe(false);
});

test("a delivery that replay made is told apart: the delay of its group did not apply", async () => {
  await using pipeline = await aPipeline();
  const [eventId = ""] = await pipeline.signUp(aSignup());
  await enlistEvents(pipeline.db, [eventId], "reminder-email");
  const options = {
    consumer: "c",
    leaseMs: 10_000,
    expireAfterMs: undefined,
    wallClockMs: 0,
    isIdempotent: true,
  } as const;
  const doing = (group: string) => ({ group, uncertain: "resend", token: Bun.randomUUIDv7() }) as const;
  const claim = async (group: string) => {
    const wanted = [{ event_id: eventId, lookup: "ready", reason: null }] as const;
    return (await claimDeliveries(pipeline.db, wanted, { ...options, ...doing(group) })).get(eventId);
  };
  expect(await claim("reminder-email")).toMatchObject({ kind: "taken", isReplayed: true });
  expect(await claim("welcome-email")).toMatchObject({ kind: "taken", isReplayed: false });
});

test("after Postgres' clock was set back, a lease from before binds nobody, and one that was renewed since does", async () => {
  await using pipeline = await aPipeline();
  const eventIds = await pipeline.signUp(aSignup(), aSignup());
  const [stale = "", renewed = ""] = eventIds;
  const wanted = eventIds.map((event_id) => ({ event_id, lookup: "ready", reason: null }) as const);
  const ledger = ledgerOf(pipeline);
  await ledger.claim(wanted, Bun.randomUUIDv7());
  // As rows are seen after two hours were set back.
  const { db } = pipeline;
  await sql`update deliveries set updated_at = updated_at + interval '2 hours'`.execute(db);
  await sql`update deliveries set lease_until = lease_until + interval '2 hours' where event_id = ${stale}`.execute(db);
  const claimed = await ledger.claim(wanted, Bun.randomUUIDv7());
  expect(claimed.get(stale)).toMatchObject({ kind: "taken", fence: 2 });
  expect(claimed.get(renewed)).toMatchObject({ kind: "wait" });
});

describe("a batch of outcomes", () => {
  const DONE = {
    attempts: 1,
    system_failures: 0,
    uncertain: 0,
    delay_ms: null,
    reason: null,
    reply: "250 ok",
  } as const;
  const doneOf = (eventId: string, fence = 1) =>
    ({ ...DONE, event_id: eventId, fence, state: "done", receipt: `<${eventId}@toblug.example>` }) as const;

  const claimed = async (pipeline: Pipeline, count: number) => {
    const eventIds = await pipeline.signUp(...Array.from({ length: count }, () => aSignup()));
    const wanted = eventIds.map((event_id) => ({ event_id, lookup: "ready", reason: null }) as const);
    await ledgerOf(pipeline).claim(wanted, Bun.randomUUIDv7());
    return eventIds;
  };

  test("may name a delivery twice, and one that is another claim's: each is recorded once, and answered for itself", async () => {
    await using pipeline = await aPipeline();
    const [twice = "", other = ""] = await claimed(pipeline, 2);
    const ledger = ledgerOf(pipeline);
    const retry = {
      ...doneOf(other, 7),
      state: "retrying",
      delay_ms: 1_000,
      reason: "try_later",
      receipt: null,
    } as const;
    const outcomes = [doneOf(twice), doneOf(twice), retry].map((each) => ledger.settle(each));
    expect(await Promise.all(outcomes)).toEqual([true, true, false]);
    expect(await pipeline.status(twice)).toMatchObject({ state: "done", attempts: 1 });
    expect(await pipeline.status(other)).toMatchObject({ state: "active", attempts: 0 });
  });

  test("whose connection is killed in the middle is recorded by its repetition, each once", async () => {
    await using pipeline = await aPipeline();
    const eventIds = await claimed(pipeline, 5);
    const ledger = ledgerOf(pipeline);
    const settleAll = () => Promise.allSettled(eventIds.map((eventId) => ledger.settle(doneOf(eventId))));
    const killed = async () => {
      await using _ = await aStranger(pipeline.url, "lock table deliveries in access exclusive mode");
      const ended = settleAll();
      let isOver = false;
      void ended.then(() => {
        isOver = true;
      });
      await eventually(async () => {
        await asSuperuser(`select pg_terminate_backend(pid) from pg_stat_activity
          where datname = '${new URL(pipeline.url).pathname.slice(1)}' and wait_event_type = 'Lock'`);
        return isOver;
      });
      return ended;
    };
    expect((await killed()).map(({ status }) => status)).toEqual(Array.from(eventIds, () => "rejected"));
    expect(await settleAll()).toEqual(Array.from(eventIds, () => ({ status: "fulfilled", value: true })));
    for (const eventId of eventIds) {
      const status = await pipeline.status(eventId);
      expect(status).toMatchObject({ state: "done", attempts: 1 });
      expect(status?.timeline.map(({ state }) => state)).toEqual(["queued", "active", "done"]);
    }
  });
});

// Postgres takes each row for as old after its clock has jumped ahead.
test.each([
  ["is expired if both clocks say so", 0, { isExpired: true }],
  ["is not expired if only Postgres' clock says so: it may have jumped ahead", -83, { isExpired: false }],
  ["is expired if both clocks say so, and the process' is ahead", 83, { isExpired: true }],
])("a delivery that was made 83 hours ago by Postgres' clock %s", async (_, hoursAhead, expected) => {
  await using pipeline = await aPipeline();
  const eventIds = await pipeline.signUp(aSignup(), aSignup());
  await sql`update deliveries set queued_at = now() - interval '83 hours'`.execute(pipeline.db);
  // One was tried before, the other was not.
  await sql`update deliveries set attempts = 1, reason = 'dns' where event_id = ${eventIds[0]}`.execute(pipeline.db);
  const ledger = ledgerOf(pipeline, () => new Date(Date.now() + hoursAhead * HOUR_MS));
  const wanted = eventIds.map((event_id) => ({ event_id, lookup: "ready", reason: null }) as const);
  const claimed = [...(await ledger.claim(wanted, Bun.randomUUIDv7())).values()];
  expect(claimed).toMatchObject([expected, expected]);
  for (const claim of claimed) {
    const aheadMs = claim.kind === "taken" ? claim.clockAheadMs : undefined;
    if (expected.isExpired) expect(aheadMs).toBeUndefined();
    else expect(Math.round((aheadMs ?? 0) / HOUR_MS)).toBe(83);
  }
});

test("a delivery that its process' clock alone takes for expired is not", async () => {
  await using pipeline = await aPipeline();
  const [eventId = ""] = await pipeline.signUp(aSignup());
  const ledger = ledgerOf(pipeline, () => new Date(Date.now() + 83 * HOUR_MS));
  const wanted = [{ event_id: eventId, lookup: "ready", reason: null }] as const;
  const claimed = await ledger.claim(wanted, Bun.randomUUIDv7());
  expect(claimed.get(eventId)).toMatchObject({ isExpired: false, clockAheadMs: undefined });
});
