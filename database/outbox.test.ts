import { expect, test } from "bun:test";
import { sql } from "kysely";
import { withTestDatabase } from "../tests/database.ts";
import { openDatabase } from "./connection.ts";
import { claimDeliveries } from "./ledger/claim.ts";
import { settleDeliveries } from "./ledger/settle.ts";
import { findDeliveries } from "./ledger/status.ts";
import { deletePublished, deleteRelayed, leaseOutbox } from "./outbox.ts";

test.concurrent("a row of the outbox is deleted without a flush; the next statement of its connection is flushed as always", async () => {
  const database = await withTestDatabase();
  const db = openDatabase({ url: database.url, poolSize: 1, applicationName: "outbox" });
  try {
    const eventId = Bun.randomUUIDv7();
    await db
      .insertInto("events")
      .values({ event_id: eventId, type: "a", subject: "b", data: "{}", traceparent: "c" })
      .execute();
    await db.insertInto("outbox").values({ event_id: eventId }).execute();
    await deletePublished(db, [eventId]);
    expect(await db.selectFrom("outbox").selectAll().execute()).toEqual([]);
    const { rows } = await sql<{ setting: string }>`select current_setting('synchronous_commit') as setting`.execute(
      db,
    );
    expect(rows).toEqual([{ setting: "on" }]);
  } finally {
    await db.destroy();
    await database.drop();
  }
});

test.concurrent("after Postgres' clock was set back, what was committed or leased before is relayed at once", async () => {
  const database = await withTestDatabase();
  const { db } = database;
  const eventIds = [Bun.randomUUIDv7(), Bun.randomUUIDv7()] as const;
  const ahead = sql<Date>`now() + interval '2 hours'`;
  for (const event_id of eventIds) {
    await db.insertInto("events").values({ event_id, type: "a", subject: "b", data: "{}", traceparent: "c" }).execute();
  }
  await db.insertInto("outbox").values({ event_id: eventIds[0], created_at: ahead }).execute();
  await db
    .insertInto("outbox")
    .values({ event_id: eventIds[1], created_at: sql`now() - interval '1 minute'`, lease_until: ahead })
    .execute();
  const leased = await leaseOutbox(db, { olderThanMs: 2_000, limit: 10, leaseMs: 10_000 });
  expect(leased.map(({ event_id }) => event_id).sort()).toEqual([...eventIds].sort());
  expect(await leaseOutbox(db, { olderThanMs: 2_000, limit: 10, leaseMs: 10_000 })).toEqual([]);
  await database.drop();
});

test.concurrent("that an event was relayed stands where it was, also if a consumer is done before it is noted", async () => {
  const database = await withTestDatabase();
  const { db } = database;
  const event_id = Bun.randomUUIDv7();
  await db.insertInto("events").values({ event_id, type: "a", subject: "b", data: "{}", traceparent: "c" }).execute();
  await db.insertInto("outbox").values({ event_id }).execute();
  await db
    .insertInto("deliveries")
    .values({
      group_name: "g",
      event_id,
      timeline: sql`jsonb_build_array(jsonb_build_object('at', now(), 'state', 'queued'))`,
    })
    .execute();
  const leaseMs = 10_000;
  await leaseOutbox(db, { olderThanMs: 0, limit: 10, leaseMs });
  const owner = { group: "g", consumer: "c" };
  await claimDeliveries(db, [{ event_id, lookup: "ready", reason: null }], {
    ...{ ...owner, leaseMs, expireAfterMs: undefined, wallClockMs: 0, isIdempotent: false, uncertain: "resend" },
    token: Bun.randomUUIDv7(),
  });
  const nothing = { system_failures: 0, uncertain: 0, delay_ms: null, reason: null, receipt: null, reply: null };
  await settleDeliveries(db, [{ event_id, fence: 1, state: "done", attempts: 1, ...nothing }], owner);
  expect(await deleteRelayed(db, [event_id], leaseMs)).toBe(1);
  const [delivery] = await findDeliveries(db, event_id);
  const steps = delivery?.timeline ?? [];
  expect(steps.map(({ state, reason }) => [state, reason])).toEqual([
    ["queued", undefined],
    ["queued", "relayed"],
    ["active", undefined],
    ["done", undefined],
  ]);
  expect(steps.map(({ at }) => Date.parse(at))).toEqual(steps.map(({ at }) => Date.parse(at)).toSorted());
  await database.drop();
});
