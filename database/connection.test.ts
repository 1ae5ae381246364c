import { afterAll, beforeAll, expect, test } from "bun:test";
import { sql } from "kysely";
import { type TestDatabase, withTestDatabase } from "../tests/database.ts";
import { eventually } from "../tests/eventually.ts";
import { type Database, openDatabase, statement } from "./connection.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await withTestDatabase();
});
afterAll(() => database.drop());

const open = (applicationName: string): Database =>
  openDatabase({ url: database.url, poolSize: 1, applicationName, deadlineMs: 5_000 });

const insert = statement<{ event_id: string }, [readonly string[]]>(
  "insert into outbox (event_id) select value::uuid from json_array_elements_text($1::json) returning event_id",
);
const connections = statement<{ pid: number }, [string]>(
  "select pid from pg_stat_activity where application_name = $1::text",
);

test("a database of which only statements were asked for closes its connections", async () => {
  const db = open("statements");
  const eventId = Bun.randomUUIDv7();
  expect([...(await insert(db, [eventId]))]).toEqual([{ event_id: eventId }]);
  expect(await connections(database.db, "statements")).toHaveLength(1);
  await db.destroy();
  await eventually(async () => (await connections(database.db, "statements")).length === 0);
  await expect(insert(db, [eventId])).rejects.toMatchObject({ code: "CONNECTION_ENDED" });
});

test("a statement within a transaction is part of it", async () => {
  const db = open("transactions");
  const eventId = Bun.randomUUIDv7();
  const undone = db.transaction().execute(async (transaction) => {
    await insert(transaction, [eventId]);
    throw new Error("undone");
  });
  await expect(undone).rejects.toThrow("undone");
  const rows = await db.selectFrom("outbox").select("event_id").where("event_id", "=", eventId).execute();
  expect(rows).toEqual([]);
  await db.destroy();
});

test.each(["German", "SQL, DMY", "Postgres"])("times are read where the database writes them as %s", async (style) => {
  const own = await withTestDatabase();
  await sql`alter database ${sql.id(new URL(own.url).pathname.slice(1))} set datestyle = ${sql.lit(style)}`.execute(
    own.db,
  );
  const db = openDatabase({ url: own.url, poolSize: 1, applicationName: "times", deadlineMs: 5_000 });
  const at = "2026-11-25T03:04:05.678Z";
  const [row] = await statement<{ at: Date }, [string]>("select $1::text::timestamptz as at")(db, at);
  expect(row?.at).toEqual(new Date(at));
  await db.destroy();
  await own.drop();
});
