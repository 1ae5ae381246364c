import { afterAll, beforeAll, expect, test } from "bun:test";
import { sql } from "kysely";
import postgres from "postgres";
import { type TestDatabase, withTestDatabase } from "../tests/database.ts";
import { eventually } from "../tests/eventually.ts";
import { findLockWait } from "./lock-waits.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await withTestDatabase();
});
afterAll(() => database.drop());

/** A session with an open transaction. */
const session = async (name: string) => {
  const own = postgres(database.url, { max: 1, connection: { application_name: name } });
  await own.unsafe("begin");
  return {
    run: (text: string): Promise<unknown> => own.unsafe(text),
    [Symbol.asyncDispose]: () => own.end({ timeout: 0 }),
  };
};

const waiting = () => findLockWait(database.db).then((wait) => wait?.waiting ?? 0);

test("who holds a lock is named, not who waits for it before us in an older transaction", async () => {
  await using ahead = await session("ahead");
  await using behind = await session("behind");
  await using gate = await session("gate");
  await using holder = await session("holder");
  const row = "update lookups set at = at + 1 where id = 1";
  await sql`create table lookups as select 1 as id, 0 as at`.execute(database.db);
  await holder.run(row);
  await gate.run("select pg_advisory_xact_lock(7)");
  // Its statement is the oldest that waits, and comes to the row after the other.
  const last = behind.run(`do $$ begin perform pg_advisory_xact_lock(7); ${row}; end $$`).catch(() => {});
  await eventually(async () => (await waiting()) === 1);
  const first = ahead.run(row).catch(() => {});
  await eventually(async () => (await waiting()) === 2);
  await gate.run("commit");
  await eventually(async () => {
    const wait = await findLockWait(database.db);
    return wait?.waiter === "behind" && wait.blocker === "holder" && wait.waiting === 2;
  });
  await holder.run("rollback");
  await first;
  await ahead.run("rollback");
  await last;
  expect(await findLockWait(database.db)).toBeUndefined();
});
