import { describe, expect, test } from "bun:test";
import { type TestDatabase, withTestDatabase } from "../../tests/database.ts";
import { type Database, openDatabase, statement } from "../connection.ts";
import { claimDeliveries } from "./claim.ts";
import { countLedger, countRetrying, readBacklogs } from "./counts.ts";
import { takeLostDeliveries } from "./lost.ts";
import { renewLeases } from "./renew.ts";
import { positionAt, readLogEnd, readLogPage } from "./replay.ts";
import { settleDeliveries } from "./settle.ts";

const MANY = 20_000;
const SOME = 2_000;
const GROUP = "reminder-email";

const insertSome = statement<{ count: number }, [number, string, string, string | null]>(`
  with inserted as (
    insert into deliveries (group_name, event_id, state, published_at, next_try_at)
    select '${GROUP}', gen_random_uuid(), $2::text, now() + $3::interval, now() + $4::interval
    from generate_series(1, $1::int)
    returning event_id)
  select count(*)::int as count from inserted`);
/** A statement may take a few seconds, and the machine may be busy. */
const insert = async (db: Database, rows: number, ...like: [string, string, string | null]): Promise<void> => {
  for (let left = rows; left > 0; left -= SOME) await insertSome(db, Math.min(left, SOME), ...like);
};
const giveReason = statement<never, [string]>(`
  update deliveries set reason = $1::text where event_id = (select event_id from deliveries where reason is null limit 1)`);
const analyze = statement<never, []>("analyze deliveries");
const vacuum = statement<never, []>("vacuum analyze deliveries");
/** The counters of a session arrive when its transaction ends. */
const flushCounters = statement<{ flushed: string }, []>("select pg_stat_force_next_flush()::text as flushed");
const counters = statement<{ read: number }, []>(`
  select (seq_tup_read + coalesce(idx_tup_fetch, 0))::int as read from pg_stat_user_tables where relname = 'deliveries'`);

const insertLog = statement<never, [number]>(`
  with made as (
    insert into events (event_id, type, subject, data, traceparent, created_at)
    select uuidv7(number * interval '1 s'), 'user.signed_up.v1', 'nobody', '{}', '', now() + number * interval '1 s'
    from generate_series(-$1::int, -1) as number
    returning event_id, created_at)
  insert into deliveries (group_name, event_id, state, created_at)
  select '${GROUP}', event_id, 'done', created_at from made`);
/** Pages of the ledger's key that this session has looked at. */
const keyPages = statement<{ touched: number }, []>(`
  select (idx_blks_hit + idx_blks_read)::int as touched from pg_statio_user_indexes where indexrelname = 'deliveries_pkey'`);

type Action = (db: ReturnType<typeof openDatabase>) => Promise<unknown>;

/** How many rows of the ledger an action reads, after what the same session has done before. */
const rowsReadBy = async ({ url }: TestDatabase, action: Action, before: Action = async () => {}) => {
  // One connection: a session knows its own counters.
  const db = openDatabase({ url, poolSize: 1, applicationName: "test" });
  await before(db);
  const count = async () => {
    await flushCounters(db);
    return (await counters(db))[0]?.read ?? Number.NaN;
  };
  const from = await count();
  await action(db);
  const to = await count();
  await db.destroy();
  return to - from;
};

const lost = (db: ReturnType<typeof openDatabase>) =>
  takeLostDeliveries(db, { group: GROUP, overtakenByMs: 0, reconcileAfterMs: 60_000, limit: 250 });

const CONSUMER = { group: GROUP, consumer: "c" };
const claimUnknown = (db: ReturnType<typeof openDatabase>, eventId: string) =>
  claimDeliveries(db, [{ event_id: eventId, lookup: "ready", reason: null }], {
    ...CONSUMER,
    leaseMs: 60_000,
    expireAfterMs: undefined,
    wallClockMs: 0,
    isIdempotent: false,
    uncertain: "resend",
    token: crypto.randomUUID(),
  });
const NOTHING = {
  attempts: 0,
  system_failures: 0,
  uncertain: 0,
  delay_ms: null,
  reason: null,
  receipt: null,
  reply: null,
};
const settleUnknown = (db: ReturnType<typeof openDatabase>, eventId: string) =>
  settleDeliveries(db, [{ ...NOTHING, event_id: eventId, fence: 1, state: "done" }], CONSUMER);

const renewUnknown = (db: ReturnType<typeof openDatabase>, eventId: string) =>
  renewLeases(db, GROUP, [{ event_id: eventId, fence: 1 }], 60_000);
const settleAsRetry = (db: ReturnType<typeof openDatabase>, eventId: string) =>
  settleDeliveries(db, [{ ...NOTHING, event_id: eventId, fence: 1, state: "retrying" }], CONSUMER);
/** After so many executions Postgres keeps a plan. */
const UNTIL_PLANNED = 8;

describe("nothing grows with", () => {
  test("a ledger that was empty when its consumer began, and that nobody has analysed since", async () => {
    const eventId = crypto.randomUUID();
    for (const ask of [claimUnknown, settleUnknown, settleAsRetry, renewUnknown]) {
      const database = await withTestDatabase();
      const read = await rowsReadBy(
        database,
        (db) => ask(db, eventId),
        async (db) => {
          for (let round = 0; round < UNTIL_PLANNED; round += 1) await ask(db, eventId);
          await insert(database.db, MANY, "queued", "0 s", null);
          await insert(database.db, 1, "active", "0 s", null);
        },
      );
      expect([ask.name, read < 100]).toEqual([ask.name, true]);
      await database.drop();
    }
  });

  test("reminders that wait until they are due: neither the backlog nor the search for lost deliveries", async () => {
    const database = await withTestDatabase();
    await insert(database.db, MANY, "queued", "1 day", "1 day");
    // Before the planner knows of them, too.
    expect(await rowsReadBy(database, (db) => readBacklogs(db, [GROUP]))).toBeLessThan(10_100);
    await analyze(database.db);
    expect(await rowsReadBy(database, lost)).toBeLessThan(100);
    // It counts up to ten thousand.
    expect(await rowsReadBy(database, (db) => readBacklogs(db, [GROUP]))).toBeLessThan(10_100);
    // However many groups are asked for, those that have nothing to do cost nothing.
    const many = Array.from({ length: 200 }, (_, at) => `webhook-${at}`);
    expect(await rowsReadBy(database, (db) => readBacklogs(db, [GROUP, ...many]))).toBeLessThan(10_100);
    await database.drop();
  });

  test("deliveries that wait for a retry: the search for lost ones, their count, and a batch with an event that is unknown", async () => {
    const database = await withTestDatabase();
    await insert(database.db, MANY, "retrying", "-1 hour", "1 hour");
    await analyze(database.db);
    expect(await rowsReadBy(database, lost)).toBeLessThan(100);
    const eventId = crypto.randomUUID();
    expect(await rowsReadBy(database, (db) => claimUnknown(db, eventId))).toBeLessThan(100);
    expect(await rowsReadBy(database, (db) => settleUnknown(db, eventId))).toBeLessThan(100);
    // However many wait for one reason, the others are counted beside it, and by the index.
    await giveReason(database.db, "mailbox_full");
    expect(await rowsReadBy(database, (db) => countRetrying(db, [GROUP]))).toBeLessThan(2_100);
    expect((await countRetrying(database.db, [GROUP])).map(({ reason, count }) => [reason, count])).toEqual([
      ["", 1_000],
      ["mailbox_full", 1],
    ]);
    await database.drop();
  });

  test("the ledger's key, which is searched once for a page of a replay: its rows stand side by side", async () => {
    const database = await withTestDatabase();
    await insertLog(database.db, SOME);
    await vacuum(database.db);
    const db = openDatabase({ url: database.url, poolSize: 1, applicationName: "test" });
    const to = await readLogEnd(db);
    const touched = async (): Promise<number> => {
      await flushCounters(db);
      return (await keyPages(db))[0]?.touched ?? Number.NaN;
    };
    const from = await touched();
    const page = await readLogPage(db, { group: GROUP, after: positionAt(new Date(0)), to, limit: 250 });
    expect(page.map(({ state }) => state)).toEqual(Array.from({ length: 250 }, () => "done"));
    expect((await touched()) - from).toBeLessThan(30);
    await db.destroy();
    await database.drop();
  });

  test("held deliveries: their count, which reads none but those that are held until a time", async () => {
    const database = await withTestDatabase();
    await insert(database.db, MANY, "held", "0 s", null);
    await insert(database.db, 1, "held", "0 s", "1 hour");
    await giveReason(database.db, "embargo");
    await vacuum(database.db);
    // The latest are counted by state, whatever they are.
    expect(await rowsReadBy(database, countLedger)).toBeLessThan(MANY + 100);
    expect((await countLedger(database.db)).held).toMatchObject([
      { group: GROUP, reason: "", count: MANY },
      { group: GROUP, reason: "embargo", count: 1 },
    ]);
    await database.drop();
  });
});
