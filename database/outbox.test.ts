import { expect, test } from "bun:test";
import { sql } from "kysely";
import { withTestDatabase } from "../tests/database.ts";
import { openDatabase } from "./connection.ts";
import { deletePublished, leaseOutbox } from "./outbox.ts";

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
