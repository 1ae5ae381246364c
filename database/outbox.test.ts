import { expect, test } from "bun:test";
import { sql } from "kysely";
import { withTestDatabase } from "../tests/database.ts";
import { openDatabase } from "./connection.ts";
import { deletePublished } from "./outbox.ts";

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
