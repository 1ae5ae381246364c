import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { sql } from "kysely";
import { type TestDatabase, withTestDatabase } from "../tests/database.ts";
import { eventually } from "../tests/eventually.ts";
import { aStranger } from "../tests/stranger.ts";
import { type Database, earlyStatement, openDatabase } from "./connection.ts";

/** Its commit waits for as long as somebody else has this lock: as for a disk, or a standby. */
const COMMIT_LOCK = 7;
const NAME = "asks early";
const put = earlyStatement<{ n: number }, [number]>("insert into early values ($1::int) returning n");

describe("a statement that is answered before it is committed", () => {
  let database: TestDatabase;
  let db: Database;
  const written = async () =>
    (await sql<{ n: number }>`select n from early`.execute(database.db)).rows.map(({ n }) => n);

  beforeAll(async () => {
    database = await withTestDatabase();
    await sql`create table early (n int check (n < 100))`.execute(database.db);
    await sql`create function wait_at_commit() returns trigger language plpgsql as
      'begin perform pg_advisory_xact_lock(7); return null; end'`.execute(database.db);
    await sql`create constraint trigger waits after insert on early deferrable initially deferred
      for each row execute function wait_at_commit()`.execute(database.db);
    db = openDatabase({ url: database.url, poolSize: 1, applicationName: NAME, deadlineMs: 3_000 });
    // The first on a connection prepares it.
    expect(await (await put(db, 0)).committed).toBe(true);
  });
  afterAll(async () => {
    await db.destroy();
    await database.drop();
  });

  test("has its rows while the commit waits, and says when they are committed", async () => {
    await using stranger = await aStranger(database.url, `select pg_advisory_xact_lock(${COMMIT_LOCK})`);
    const { rows, committed } = await put(db, 1);
    expect([...rows]).toEqual([{ n: 1 }]);
    expect(await written()).not.toContain(1);
    await stranger.end("rollback");
    expect(await committed).toBe(true);
    expect(await written()).toContain(1);
  });

  test("says that nothing is committed when the server ends its connection meanwhile, and is not sent again", async () => {
    await using stranger = await aStranger(database.url, `select pg_advisory_xact_lock(${COMMIT_LOCK})`);
    const { committed } = await put(db, 2);
    await sql`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and application_name = ${NAME}`.execute(database.db);
    expect(await committed).toBe(false);
    await stranger.end("rollback");
    expect(await (await put(db, 3)).committed).toBe(true);
    expect(await written()).not.toContain(2);
  });

  test("says that nothing is committed when the commit is refused", async () => {
    await using stranger = await aStranger(database.url, `select pg_advisory_xact_lock(${COMMIT_LOCK})`);
    const { rows, committed } = await put(db, 4);
    expect([...rows]).toEqual([{ n: 4 }]);
    // The server waits for a lock no longer than its limit.
    expect(await committed).toBe(false);
    await stranger.end("rollback");
    expect(await written()).not.toContain(4);
  });

  test("rejects when it is refused, and leaves its connection to others", async () => {
    expect(await put(db, 1_000).then(String, (error: Error) => error.message)).toContain("early_n_check");
    await eventually(async () => (await put(db, 5)).committed);
    expect(await written()).toContain(5);
  });
});
