import { afterEach, beforeEach, expect, test } from "bun:test";
import { join } from "node:path";
import { sql } from "kysely";
import { type TestDatabase, withTestDatabase } from "../tests/database.ts";
import { eventually } from "../tests/eventually.ts";
import { aStranger } from "../tests/stranger.ts";
import { openDatabase } from "./connection.ts";
import type { LockHolder } from "./lock-holder.ts";
import { type Migrations, migrateToLatest } from "./migrate-to-latest.ts";
import { MIGRATIONS } from "./migrations/index.ts";
import { nextLockWaitMs, type WhenAvailableOptions, whenAvailable } from "./when-available.ts";

let database: TestDatabase;
beforeEach(async () => {
  database = await withTestDatabase({ migrated: false });
});
afterEach(() => database.drop());

const ALL = Object.keys(MIGRATIONS);
/** Needs a lock of a whole table. */
const WITH_LOCK = "0020-suppressions-by-time";

const migrate = (env: Readonly<Record<string, string>>, ...flags: readonly string[]) => {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "migrate.ts"), ...flags], {
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdout: "pipe",
    stderr: "pipe",
  });
  return Promise.all([child.exited, new Response(child.stdout).text(), new Response(child.stderr).text()]);
};

const single = (url: string) => () =>
  openDatabase({ url, poolSize: 1, applicationName: "test migrate", deadlineMs: Infinity });

const migrateWhenAvailable = (options: Partial<WhenAvailableOptions<readonly string[]>>) =>
  whenAvailable({
    open: single(database.url),
    work: (db, limit) => migrateToLatest(db, { limit }),
    patienceMs: 0,
    lockPatienceMs: 0,
    onWait: () => {},
    onLocked: () => {},
    ...options,
  });

test("the command migrates a database; the second time it prints `up to date`", async () => {
  const env = { DATABASE_URL: database.url };
  expect(await migrate(env)).toEqual([0, ALL.map((name) => `applied ${name}\n`).join(""), ""]);
  expect(await migrate(env)).toEqual([0, "up to date\n", ""]);
});

test("`migrate` grants what is missing, and takes nothing away; with --roles it does", async () => {
  const own = await withTestDatabase();
  const env = { DATABASE_URL: own.url };
  const may = async (privilege: string): Promise<boolean | undefined> => {
    const found = await sql<{ may: boolean }>`
      select has_table_privilege('signup_consumer', 'events', ${privilege}) as may`.execute(own.db);
    return found.rows[0]?.may;
  };
  await sql`revoke insert on events from signup_consumer`.execute(own.db);
  await sql`grant delete on events to signup_consumer`.execute(own.db);
  expect((await migrate(env))[0]).toBe(0);
  expect([await may("insert"), await may("delete")]).toEqual([true, true]);
  expect((await migrate(env, "--roles"))[0]).toBe(0);
  expect([await may("insert"), await may("delete")]).toEqual([true, false]);
  expect(await migrate({ DATABASE_URL: own.url.replace("//app@", "//signup_migrate@") })).toEqual([
    0,
    "up to date\n",
    "",
  ]);
  await own.drop();
});

test("a faulty setting is 78, and named", async () => {
  const [code, , told] = await migrate({ DATABASE_URL: "mysql://db.example/signup" });
  expect(code).toBe(78);
  expect(told).toContain("DATABASE_URL");
});

test("of several at once one applies the migrations, the others wait and find nothing to do", async () => {
  const runs = await Promise.all([1, 2, 3, 4].map(() => migrateWhenAvailable({ lockPatienceMs: 60_000 })));
  expect(runs.flat()).toEqual(ALL);
  expect(runs.filter((applied) => applied.length > 0)).toHaveLength(1);
});

test("waits for a database that is unavailable, and logs it once", async () => {
  const told: string[] = [];
  let opened = 0;
  const applied = await migrateWhenAvailable({
    open: () => {
      opened += 1;
      return single(opened > 2 ? database.url : "postgres://nobody@127.0.0.1:1/none")();
    },
    patienceMs: 10_000,
    onWait: (code) => void told.push(code),
  });
  expect(applied).toEqual(ALL);
  expect(told).toEqual(["ECONNREFUSED"]);
});

test("each row of outages has its own patience, however late it begins", async () => {
  const own = await withoutLocking();
  const stranger = await aStranger(own.url, "lock table suppressions in row exclusive mode");
  let opened = 0;
  const outages: string[] = [];
  const applied = await migrateWhenAvailable({
    open: single(own.url),
    work: async (db, limit) => {
      opened += 1;
      // The patience for outages is used up by locks before the first outage.
      if (opened === 2) await stranger.end("rollback");
      if (opened === 2 || opened === 3) throw Object.assign(new Error("lost"), { code: "ECONNRESET" });
      return migrateToLatest(db, { limit });
    },
    patienceMs: 5_000,
    lockPatienceMs: 60_000,
    now: () => opened * 4_500,
    onWait: (code) => void outages.push(code),
  });
  expect(applied).toEqual(ALL.slice(ALL.indexOf(WITH_LOCK)));
  expect(outages).toEqual(["ECONNRESET"]);
  await own.drop();
});

test("waiting ends with the driver's error", async () => {
  const gaveUp = migrateWhenAvailable({ open: single("postgres://nobody@127.0.0.1:1/none") });
  expect(await gaveUp.catch((error: unknown) => error)).toMatchObject({ code: "ECONNREFUSED" });
});

/** As before the last migration, which needs a lock of this table. */
const withoutLocking = async (): Promise<TestDatabase> => {
  const own = await withTestDatabase();
  await sql`drop index suppressions_by_time`.execute(own.db);
  await sql`delete from kysely_migration where name >= ${WITH_LOCK}`.execute(own.db);
  return own;
};

test("waits for a table that somebody else uses, says who, and holds up nobody meanwhile", async () => {
  const own = await withoutLocking();
  const suppress =
    "insert into suppressions (email_key, reason, event_id) values (gen_random_uuid()::text, 'bounced', gen_random_uuid())";
  await using reader = await aStranger(`${own.url}?application_name=reader`, "select from suppressions");
  await using stranger = await aStranger(`${own.url}?application_name=backup`, suppress);
  const migrating = Bun.spawn([process.execPath, join(import.meta.dir, "migrate.ts")], {
    env: { PATH: process.env["PATH"] ?? "", DATABASE_URL: own.url.replace("//app@", "//signup_migrate@") },
    stdout: "pipe",
    stderr: "pipe",
  });
  const told = new Response(migrating.stderr).text();
  let [isEnded, written] = [false, 0];
  const waits = sql<{ n: number }>`select count(*)::int as n from pg_stat_activity
    where datname = current_database() and application_name = 'migrate' and wait_event_type = 'Lock'`;
  // Several times it waits; whoever comes then is served within the limit of any statement of ours.
  while (written < 3) {
    await eventually(async () => (await waits.execute(own.db)).rows[0]?.n === 1);
    await sql.raw(suppress).execute(own.db);
    written += 1;
    await eventually(async () => (await waits.execute(own.db)).rows[0]?.n === 0);
  }
  void migrating.exited.then(() => (isEnded = true));
  expect(isEnded).toBe(false);
  await stranger.end("commit");
  expect(await migrating.exited).toBe(0);
  expect(await told).toContain("the transaction of backup (pid ");
  expect(await told).toContain("uses suppressions; signups go on");
  expect(await told).not.toContain("reader");
  await reader.end("commit");
  await own.drop();
});

test("gives up with the error of the lock when its patience is over, and has changed nothing", async () => {
  const own = await withoutLocking();
  const stranger = await aStranger(own.url, "lock table suppressions in row exclusive mode");
  const gaveUp = await migrateWhenAvailable({ open: single(own.url) }).catch((error: unknown) => error);
  expect(gaveUp).toMatchObject({ code: "55P03" });
  const found = await sql`select from pg_indexes where indexname = 'suppressions_by_time'`.execute(own.db);
  expect(found.rows).toHaveLength(0);
  await stranger.end("rollback");
  await own.drop();
});

test.each([
  ["migrations", "3853314791062309107", []],
  ["rights", "7031009", ["--roles"]],
] as const)("waits for another command that has the lock of %s, and says who", async (_what, lock, flags) => {
  const own = await withTestDatabase();
  await using other = await aStranger(`${own.url}?application_name=other`, `select pg_advisory_xact_lock(${lock})`);
  const migrating = Bun.spawn([process.execPath, join(import.meta.dir, "migrate.ts"), ...flags], {
    env: { PATH: process.env["PATH"] ?? "", DATABASE_URL: own.url },
    stderr: "pipe",
  });
  let told = "";
  for await (const chunk of migrating.stderr) {
    told += new TextDecoder().decode(chunk);
    if (told.includes("other")) await other.end("commit");
  }
  expect(await migrating.exited).toBe(0);
  expect(told).toMatch(/the transaction of other \(pid \d+\), open for \d+ s, uses the lock of another command/);
  await own.drop();
});

const autovacuum = { pid: 7, name: "autovacuum", table: "events" };

test("waits once, for one table, until an autovacuum gives way; never where that takes long", () => {
  const waited = new Set<string>();
  const next = (by: LockHolder | undefined) => nextLockWaitMs(by, waited);
  expect(next({ ...autovacuum, givesWayAfterMs: 1_000 })).toBe(1_300);
  expect(next({ ...autovacuum, givesWayAfterMs: 1_000 })).toBe(250);
  expect(next({ ...autovacuum, givesWayAfterMs: 1_000, table: "outbox" })).toBe(1_300);
  expect(next({ ...autovacuum, givesWayAfterMs: 1_000, pid: 8 })).toBe(1_300);
  expect(next({ ...autovacuum, givesWayAfterMs: 2_001, pid: 9 })).toBe(250);
  expect([next(undefined), next({ ...autovacuum, name: "backup" })]).toEqual([250, 250]);
});

test("a long migration makes an index beside transactions, while others write, and is repeated if it was cut off", async () => {
  const db = single(database.url)();
  let cutOff = true;
  const migrations: Migrations = {
    ...MIGRATIONS,
    "9001-long": {
      beside: async (beside) => {
        await sql`drop index concurrently if exists users_by_locale`.execute(beside);
        await sql`create index concurrently users_by_locale on users (locale)`.execute(beside);
        if (cutOff) throw new Error("cut off");
      },
    },
    "9002-short": { up: async (transaction) => void (await sql`create table after_it (id int)`.execute(transaction)) },
  };
  const limit = { lockTimeoutMs: 250 };
  expect(await migrateToLatest(db, { limit, migrations }).catch((error: Error) => error.message)).toBe("cut off");
  cutOff = false;
  // Two at once: the one waits until the other has ended.
  const other = single(database.url)();
  const both = await Promise.all([migrateToLatest(db, { migrations }), migrateToLatest(other, { migrations })]);
  expect(both.flat().toSorted()).toEqual(["9001-long", "9002-short"]);
  const { rows } = await sql<{ valid: boolean }>`
    select indisvalid as valid from pg_index where indexrelid = 'users_by_locale'::regclass`.execute(db);
  expect(rows).toEqual([{ valid: true }]);
  expect(await migrateToLatest(db, { migrations })).toEqual([]);
  await Promise.all([db.destroy(), other.destroy()]);
});

test("names each migration once, also if a later one has to wait for a table", async () => {
  const own = await withTestDatabase();
  const stranger = await aStranger(own.url, "lock table suppressions in row exclusive mode");
  const migrations: Migrations = {
    ...MIGRATIONS,
    "9001-long": { beside: async (db) => void (await sql`create table beside (id int)`.execute(db)) },
    "9002-short": {
      up: async (transaction) => void (await sql`alter table suppressions add column more int`.execute(transaction)),
    },
  };
  const applied: string[] = [];
  const onApplied = (name: string) => void applied.push(name);
  let refusals = 0;
  await migrateWhenAvailable({
    open: single(own.url),
    work: (db, limit) => migrateToLatest(db, { limit, migrations, onApplied }),
    lockPatienceMs: 60_000,
    onLocked: () => {
      refusals += 1;
      void stranger.end("rollback");
    },
  });
  expect(applied).toEqual(["9001-long", "9002-short"]);
  expect(refusals).toBeGreaterThan(0);
  await own.drop();
});

test("refuses to make a second, empty set of tables beside those that search_path does not lead to", async () => {
  const own = await withTestDatabase();
  const name = new URL(own.url).pathname.slice(1);
  await sql.raw("create schema other").execute(own.db);
  await sql.raw(`alter database ${name} set search_path = other`).execute(own.db);
  const [code, out, error] = await migrate({ DATABASE_URL: own.url });
  expect([code, out]).toEqual([1, ""]);
  expect(error).toStartWith("The tables are in the schema public, where search_path (other) does not lead");
  const other = await sql`select tablename from pg_tables where schemaname = 'other'`.execute(own.db);
  expect(other.rows).toEqual([]);
  await own.drop();
});
