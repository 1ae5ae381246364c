import { afterAll, beforeAll, expect, test } from "bun:test";
import { sql } from "kysely";
import { openDatabase, pingDatabase, statement } from "../database/connection.ts";
import { databaseFault } from "../database/errors.ts";
import { migrateToLatest } from "../database/migrate-to-latest.ts";
import { keepSettingsBehindPooler } from "../database/role-settings.ts";
import { type TestDatabase, withTestDatabase } from "./database.ts";
import { eventually } from "./eventually.ts";
import { type PgBouncer, startPgBouncer } from "./pgbouncer.ts";
import { anOutbox, aPipeline, aSignup } from "./pipeline.ts";
import { aStranger } from "./stranger.ts";

const LATE = "0197f000-0000-7000-8000-000000000001";

let database: TestDatabase;
let pooler: PgBouncer;
beforeAll(async () => {
  database = await withTestDatabase({ migrated: false });
  pooler = await startPgBouncer(database.url);
});
afterAll(async () => {
  await pooler[Symbol.asyncDispose]();
  await database.drop();
});

const open = (poolSize: number, deadlineMs?: number) =>
  openDatabase({
    url: pooler.url,
    poolSize,
    applicationName: "behind a pooler",
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
  });

test("behind PgBouncer in transaction mode: migrations, signups and mails, with the server's limits and others' locks", async () => {
  const single = open(1, Number.POSITIVE_INFINITY);
  await migrateToLatest(single);
  await single.destroy();
  const db = open(10);
  expect(await keepSettingsBehindPooler(db)).toBe(true);
  // PgBouncer asks for new connections when it is told to close the old ones; here the server does.
  await sql`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()`.execute(database.db);
  const shown = await eventually(async () => {
    const limits = await sql<{ statement: string; lock: string; idle: string; rows: string }>`
      select current_setting('row_security') as rows, current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock,
        current_setting('idle_in_transaction_session_timeout') as idle`
      .execute(db)
      .catch(() => undefined);
    return limits?.rows[0];
  });
  expect(shown).toEqual({ statement: "4s", lock: "1s", idle: "10s", rows: "off" });
  expect(await keepSettingsBehindPooler(db)).toBe(false);

  await using pipeline = await aPipeline(undefined, { url: pooler.url, db, drop: () => db.destroy() });
  const outbox = anOutbox();
  await pipeline.consumer(outbox.work);
  const eventIds = await Promise.all(
    Array.from({ length: 200 }, async () => (await pipeline.signUp(aSignup()))[0] ?? ""),
  );
  await eventually(async () => outbox.sent.length >= eventIds.length);
  expect(outbox.sent.toSorted()).toEqual(eventIds.toSorted());

  const held = aSignup();
  await using stranger = await aStranger(
    database.url,
    `insert into users (id, user_name, user_name_key, email, email_key, password_hash, locale)
     values ('${held.userId}', 'x', 'x', '${held.email}', '${held.emailKey}', 'x', 'vi')`,
  );
  const refused = pipeline.writeOnly(aSignup({ emailKey: held.emailKey })).catch((error: unknown) => error);
  await Promise.all(Array.from({ length: 24 }, () => pipeline.writeOnly(aSignup())));
  expect(await refused).toMatchObject({ code: "55P03" });
  await stranger.end("rollback");
});

test("what PgBouncer makes wait for longer than we do is not executed afterwards", async () => {
  await using small = await startPgBouncer(database.url, { poolSize: 1 });
  const db = openDatabase({ url: small.url, poolSize: 2, applicationName: "impatient", deadlineMs: 500 });
  const count = sql<{ n: number }>`select count(*)::int as n from outbox where event_id = ${LATE}::uuid`;
  // Through two servers, a busy machine may take longer to connect.
  expect((await eventually(() => count.execute(db).catch(() => false as const))).rows).toEqual([{ n: 0 }]);
  // Its transaction has the one connection to the server.
  await using stranger = await aStranger(small.url);
  const refused = await sql`insert into outbox (event_id) values (${LATE})`
    .execute(db)
    .catch((error: unknown) => error);
  expect(databaseFault(refused)).toEqual({ kind: "unavailable", code: "ETIMEDOUT" });
  await stranger.end("commit");
  expect((await eventually(() => count.execute(db).catch(() => false as const))).rows).toEqual([{ n: 0 }]);
  await db.destroy();
});

test.each([
  ["max_client_conn = 1", "08P01"],
  ["query_wait_timeout = 1", "CONNECTION_CLOSED"],
])("what PgBouncer refuses for `%s` is an outage, and over with its reason", async (setting, code) => {
  await using small = await startPgBouncer(database.url, { poolSize: 1, settings: [setting] });
  const db = openDatabase({ url: small.url, poolSize: 1, applicationName: "refused" });
  const stranger = await aStranger(small.url);
  const refused: unknown = await pingDatabase(db).catch((error: unknown) => error);
  expect(databaseFault(refused)).toEqual({ kind: "unavailable", code });
  await stranger.end("commit");
  expect(await pingDatabase(db)).toBeUndefined();
  await db.destroy();
});

test("behind a pooler no statement follows another on its connection: each has its own answer, whichever server has it", async () => {
  const echo = statement<{ n: number }, [number]>("select $1::int as n", { isPipelined: true });
  const db = open(6);
  const ask = async (from: number) => {
    for (let n = from; n < from + 400; n += 1) {
      const [answer] = await echo(db, n);
      expect(answer?.n).toBe(n);
    }
  };
  await Promise.all(Array.from({ length: 12 }, (_, index) => ask(index * 1_000)));
  await db.destroy();
});
