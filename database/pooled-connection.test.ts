import { afterAll, beforeAll, expect, test } from "bun:test";
import { sql } from "kysely";
import { type TestDatabase, withTestDatabase } from "../tests/database.ts";
import { eventually } from "../tests/eventually.ts";
import { aStranger } from "../tests/stranger.ts";
import { type Database, openDatabase, statement } from "./connection.ts";
import { databaseFault, TableLocked } from "./errors.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await withTestDatabase();
});
afterAll(() => database.drop());

const withPool = async (name: string, deadlineMs: number, work: (db: Database) => Promise<void>): Promise<void> => {
  const db = openDatabase({ url: database.url, poolSize: 3, applicationName: name, deadlineMs });
  try {
    await work(db);
  } finally {
    await db.destroy();
  }
};

/** The process of the server that ran it. */
const sleep = statement<{ pid: number }, [number]>("select pg_backend_pid() as pid from pg_sleep($1::float)", {
  isPipelined: true,
});
/** Statements follow what a connection has answered before. */
const primed = async (db: Database): Promise<void> => void (await pidOf(db, 0));
const pidOf = async (db: Database, seconds: number) => (await sleep(db, seconds))[0]?.pid;
/** Resolves when a statement of the pool is in work. */
const underWay = (name: string) =>
  eventually(async () => {
    const { rows } = await sql<{ n: number }>`select count(*)::int as n from pg_stat_activity
      where application_name = ${name} and state = 'active'`.execute(database.db);
    return rows[0]?.n === 1;
  });
const failure = (result: Promise<unknown>) => result.then(() => undefined).catch((error: unknown) => error);

test("one statement follows another of the same text on its connection, and a third has one of its own", async () => {
  await withPool("follows", 5_000, async (db) => {
    await primed(db);
    const first = pidOf(db, 0.4);
    await underWay("follows");
    const [second, third] = [pidOf(db, 0), pidOf(db, 0)];
    const [other] = await statement<{ pid: number }, []>("select pg_backend_pid() as pid")(db);
    expect(await second).toBe(await first);
    expect(await third).not.toBe(await first);
    expect(other?.pid).not.toBe(await first);
  });
});

test("the time of a statement begins when the one ahead of it is answered", async () => {
  await withPool("in time", 1_000, async (db) => {
    await primed(db);
    const first = pidOf(db, 0.6);
    await underWay("in time");
    const second = pidOf(db, 0.6);
    expect(await second).toBe(await first);
  });
});

test("a statement that fails leaves the one behind it", async () => {
  const text = "select pg_backend_pid() as pid, 1 / ($1::int + 0 * random()::int) as n from pg_sleep(0.2)";
  const divide = statement<{ pid: number; n: number }, [number]>(text, { isPipelined: true });
  await withPool("fails", 5_000, async (db) => {
    const [{ pid } = { pid: 0 }] = await divide(db, 1);
    const failing = failure(divide(db, 0));
    await underWay("fails");
    const [failed, divided] = await Promise.all([failing, divide(db, 1)]);
    expect(failed).toMatchObject({ code: "22012" });
    expect(divided).toMatchObject([{ pid, n: 1 }]);
  });
});

test("nothing follows what a connection has not answered before: if it is lost, no other one is left behind", async () => {
  await withPool("not yet known", 5_000, async (db) => {
    for (let round = 0; round < 3; round += 1) {
      const text = `select pg_backend_pid() as pid from pg_sleep($1::float) -- ${round}`;
      const own = statement<{ pid: number }, [number]>(text, { isPipelined: true });
      const first = failure(own(db, 3));
      await underWay("not yet known");
      const second = own(db, 0);
      await sql`select pg_terminate_backend(pid) from pg_stat_activity
        where application_name = 'not yet known' and state = 'active'`.execute(database.db);
      expect(databaseFault(await first).kind).toBe("unavailable");
      expect((await second)[0]?.pid).toBeNumber();
    }
  });
  await eventually(async () => {
    const { rows } = await sql<{ n: number }>`select count(*)::int as n from pg_stat_activity
      where application_name = 'not yet known'`.execute(database.db);
    return rows[0]?.n === 0;
  });
});

test("a connection that is lost fails both that have it, and no other", async () => {
  await withPool("lost", 5_000, async (db) => {
    const pid = await pidOf(db, 0);
    const first = failure(pidOf(db, 3));
    await underWay("lost");
    const both = [first, failure(pidOf(db, 3))];
    await sql`select pg_terminate_backend(${pid})`.execute(database.db);
    for (const error of await Promise.all(both)) expect(databaseFault(error).kind).toBe("unavailable");
    expect(await pidOf(db, 0)).not.toBe(pid);
  });
});

test("of a table that is locked both are told, and no more connections are open than the pool has", async () => {
  const change = statement<never, [string]>("update suppressions set reason = $1::text", { isPipelined: true });
  await withPool("locked", 1_500, async (db) => {
    for (const reason of ["w", "x"]) await change(db, reason);
    await using stranger = await aStranger(database.url, "lock table suppressions in share mode");
    const first = failure(change(db, "y"));
    await underWay("locked");
    const both = [first, failure(change(db, "z"))];
    for (const error of await Promise.all(both)) expect(error).toBeInstanceOf(TableLocked);
    const { rows } = await sql<{ n: number }>`select count(*)::int as n from pg_stat_activity
      where application_name = 'locked'`.execute(database.db);
    expect(rows[0]?.n).toBeLessThanOrEqual(3);
    await stranger.end("rollback");
    expect(await failure(change(db, "w"))).toBeUndefined();
  });
});
