import { afterAll, beforeAll, describe, expect, spyOn, test } from "bun:test";
import { CompiledQuery, sql } from "kysely";
import { serverUrl, type TestDatabase, withTestDatabase } from "../tests/database.ts";
import { eventually } from "../tests/eventually.ts";
import { aStranger } from "../tests/stranger.ts";
import { startProxy } from "../tests/tcp-proxy.ts";
import { openDatabase, pingDatabase, statement } from "./connection.ts";
import { databaseFault, TableLocked } from "./errors.ts";
import { ServerSilent } from "./pool-errors.ts";
import { suppressAddress } from "./users/suppressions.ts";

test("the driver sends no query of its own, whose failure nobody would handle", async () => {
  const server = new URL(serverUrl());
  await using proxy = await startProxy(Number(server.port), { cutAt: "pg_catalog" });
  server.port = String(proxy.port);
  const db = openDatabase({ url: server.href, poolSize: 1, applicationName: "test" });
  expect(await pingDatabase(db)).toBeUndefined();
  await db.destroy();
});

describe("a statement that does not end", () => {
  const NAME = "does not end";
  let database: TestDatabase;
  beforeAll(async () => {
    database = await withTestDatabase();
  });
  afterAll(() => database.drop());

  const backends = async () =>
    (
      await sql<{ n: number }>`select count(*)::int as n from pg_stat_activity
        where datname = current_database() and application_name = ${NAME}`.execute(database.db)
    ).rows[0]?.n ?? 0;

  test.each([
    ["because it waits for a lock", "select pg_advisory_lock(1)", "55P03"],
    ["because it is slow", "select pg_sleep(60)", "57014"],
  ])("%s is ended by the server, before we give up, and no connection is left behind", async (_, text, code) => {
    await using stranger = await aStranger(database.url, "select pg_advisory_xact_lock(1)");
    const db = openDatabase({ url: database.url, poolSize: 2, applicationName: NAME, deadlineMs: 2_000 });
    const ask = () => db.executeQuery(CompiledQuery.raw(text)).catch((error: unknown) => error);
    const [first, second] = await Promise.all([ask(), ask(), pingDatabase(db)]);
    expect([first, second]).toMatchObject([{ code }, { code }]);
    expect(await backends()).toBeLessThanOrEqual(2);
    await pingDatabase(db);
    await db.destroy();
    await stranger.end("rollback");
  });
});

describe("a statement that waits in vain", () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await withTestDatabase();
  });
  afterAll(() => database.drop());
  const NAMES = ["one", "two"] as const;
  const change = statement<never, [string, string]>(
    "update suppressions set reason = $1::text where email_key = $2::text",
  );
  const open = () => openDatabase({ url: database.url, poolSize: 4, applicationName: "waits", deadlineMs: 1_500 });
  const failure = (result: Promise<unknown>) => result.then(() => undefined).catch((error: unknown) => error);

  test("for a row is not taken for one that waits for a table, however many wait, and holds up nobody else", async () => {
    const db = open();
    for (const name of NAMES) await suppressAddress(db, { addressKey: name, reason: "x", eventId: Bun.randomUUIDv7() });
    await using stranger = await aStranger(
      database.url,
      "update suppressions set reason = 'x' where email_key = 'one'",
    );
    const waiting = Array.from({ length: 3 }, () => failure(change(db, "y", "one")));
    expect(await failure(change(db, "y", "two"))).toBeUndefined();
    for (const error of await Promise.all(waiting)) {
      expect(error).toMatchObject({ code: "55P03" });
      expect(error).not.toBeInstanceOf(TableLocked);
    }
    await stranger.end("rollback");
    await db.destroy();
  });

  test.each([
    ["for a table", "lock table suppressions in share mode", "delete from suppressions", true],
    ["for an index", "reindex index suppressions_by_time", "select reason from suppressions", true],
    [
      "for something else, while another table is locked",
      "lock table outbox in share mode; select pg_advisory_xact_lock(1)",
      "select pg_advisory_xact_lock(1) from suppressions",
      false,
    ],
  ])("%s is known as such", async (_, lock, text, isTable) => {
    const db = open();
    await suppressAddress(db, { addressKey: lock, reason: "x", eventId: Bun.randomUUIDv7() });
    await using stranger = await aStranger(database.url, lock);
    const error = await failure(db.executeQuery(CompiledQuery.raw(text)));
    expect(error).toMatchObject({ code: "55P03" });
    expect(error instanceof TableLocked).toBe(isTable);
    await stranger.end("rollback");
    await db.destroy();
  });
});

test("what waits for a connection to a server that answers nothing is refused with those that wait for its answer", async () => {
  const server = new URL(serverUrl());
  await using proxy = await startProxy(Number(server.port));
  server.port = String(proxy.port);
  const db = openDatabase({ url: server.href, poolSize: 2, applicationName: "silent", deadlineMs: 2_000 });
  await pingDatabase(db);
  proxy.silence();
  const ask = () => db.executeQuery(CompiledQuery.raw("select 1")).catch((error: unknown) => error);
  const sent = [ask(), ask()];
  // Later, so that their own time is not over yet.
  await Bun.sleep(300);
  const waiting = [ask(), ask()];
  const silent = await Promise.all(sent);
  for (const error of silent) expect(error).toBeInstanceOf(ServerSilent);
  for (const error of await Promise.all(waiting)) expect(silent).toContain(error);
  proxy.restore();
  expect(await pingDatabase(db)).toBeUndefined();
  await db.destroy();
});

test("a connection that the server ends fails the statement that it has, and not the next one", async () => {
  const database = await withTestDatabase();
  const db = openDatabase({ url: database.url, poolSize: 1, applicationName: "ended" });
  await pingDatabase(db);
  const lost = db.executeQuery(CompiledQuery.raw("select pg_sleep(3)")).catch((error: unknown) => error);
  await eventually(async () => {
    const { rows } = await sql<{ ended: boolean }>`select pg_terminate_backend(pid) as ended from pg_stat_activity
      where datname = current_database() and application_name = 'ended' and query like '%pg_sleep%'`.execute(
      database.db,
    );
    return rows.length > 0;
  });
  expect(databaseFault(await lost).kind).toBe("unavailable");
  expect(await pingDatabase(db)).toBeUndefined();
  await db.destroy();
  await database.drop();
});

describe("what a session began with", () => {
  const NAME = "began with";
  let database: TestDatabase;
  let now = 0;
  beforeAll(async () => {
    database = await withTestDatabase();
    spyOn(performance, "now").mockImplementation(() => now);
  });
  afterAll(async () => {
    spyOn(performance, "now").mockRestore();
    await database.drop();
  });
  const open = (poolSize: number) => openDatabase({ url: database.url, poolSize, applicationName: NAME });
  const query = CompiledQuery.raw("select reason from suppressions where pg_sleep(0.1) is not null");
  const askAtOnce = (db: ReturnType<typeof open>, times: number) =>
    Promise.all(Array.from({ length: times }, () => db.executeQuery(query).then(() => "done", databaseFault)));
  const setRole = (change: string) =>
    sql
      .raw(`do $$ begin execute format('alter role current_user in database %I ${change}', current_database()); end $$`)
      .execute(database.db);

  test("is over once the role has other settings: no statement fails for a connection that is a second old", async () => {
    await setRole("set search_path = nowhere");
    const db = open(3);
    const missing = { kind: "unknown", code: "42P01" } as const;
    expect(await askAtOnce(db, 3)).toEqual([missing, missing, missing]);
    await setRole("reset search_path");
    now += 1_000;
    expect(await askAtOnce(db, 3)).toEqual(["done", "done", "done"]);
    await db.destroy();
  });

  test("is a new one, and not another that is as old, however many are", async () => {
    await setRole("set search_path = nowhere");
    const db = open(10);
    await askAtOnce(db, 10);
    await setRole("reset search_path");
    now += 1_000;
    expect([await askAtOnce(db, 1), await askAtOnce(db, 1)]).toEqual([["done"], ["done"]]);
    await db.destroy();
  });

  test("is not asked for anew by each statement while a table is missing: once a second for a connection", async () => {
    const db = open(1);
    const pid = async () => (await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db)).rows[0]?.pid;
    const ask = () => db.executeQuery(CompiledQuery.raw("select 1 from nowhere")).catch(databaseFault);
    const first = await pid();
    for (let count = 0; count < 5; count += 1) await ask();
    expect(await pid()).toBe(first);
    now += 1_000;
    await ask();
    const second = await pid();
    expect(second).not.toBe(first);
    for (let count = 0; count < 5; count += 1) await ask();
    expect(await pid()).toBe(second);
    await db.destroy();
  });
});
