import { afterAll, expect, test } from "bun:test";
import { sql } from "kysely";
import { openDatabase } from "../../database/connection.ts";
import { writeApiReport } from "../../stream/api-reports.ts";
import { openCommandConnection } from "../../stream/connection.ts";
import { keysOf } from "../../stream/keys.ts";
import { withTestDatabase } from "../../tests/database.ts";
import { eventually } from "../../tests/eventually.ts";
import { anOwnRedis } from "../../tests/own-redis.ts";
import { aPipeline, aSignup } from "../../tests/pipeline.ts";
import { GROUP } from "../operator-for-tests.ts";
import { QUIET } from "../quiet.ts";
import { type AwaySince, readSituation, watchSituation } from "./situation.ts";

// Takes connections and never says anything.
const silent = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => {} } });
const db = openDatabase({ url: `postgres://x@127.0.0.1:${silent.port}/x`, poolSize: 1, applicationName: "test" });
const url = `redis://127.0.0.1:${silent.port}`;
const redis = openCommandConnection({ url, name: "test", log: QUIET, commandTimeoutMs: 100 });
afterAll(() => {
  redis.disconnect();
  silent.stop(true);
});

test("stores that hang are a finding soon, with since when", async () => {
  const away: AwaySince = new Map();
  const asked = { db, redis, keys: keysOf("test"), groups: [] };
  const look = (at: string) => watchSituation(asked, new Date(at), { withinMs: 50, away });
  const expected = "The state has been unreadable since 06:05 UTC: no answer within 50 ms";
  const first = await look("2026-11-28T06:05:00Z");
  expect([first.status, first.findings[0].sentence]).toEqual([undefined, expected]);
  expect((await look("2026-11-28T06:07:00Z")).findings[0].sentence).toBe(expected);
});

test("a database that is not up to date is a sentence with the command that mends it", async () => {
  await using pipeline = await aPipeline();
  const { redis, keys, groups } = pipeline;
  const empty = await withTestDatabase({ migrated: false });
  const { findings, status } = await readSituation({ db: empty.db, redis, keys, groups }, new Date());
  expect(status).toBeUndefined();
  expect(findings).toEqual([
    {
      level: "trouble",
      sentence: expect.stringMatching(/^The database is not up to date: it lacks \d+ migrations, from 0001\S* on$/),
      remedy: "bun run migrate",
    },
  ]);
  await empty.drop();
});

test("tables that search_path does not lead to are not migrated anew: it is to be corrected", async () => {
  await using pipeline = await aPipeline();
  const { redis, keys, groups } = pipeline;
  const database = await withTestDatabase();
  await sql`create schema other`.execute(database.db);
  const lost = openDatabase({ url: `${database.url}?search_path=other`, poolSize: 1, applicationName: "lost" });
  const { findings } = await readSituation({ db: lost, redis, keys, groups }, new Date());
  expect(findings).toEqual([
    {
      level: "trouble",
      sentence: "The tables are in the schema public, where search_path (other) does not lead",
      remedy: expect.stringMatching(/^do not migrate; correct search_path/),
    },
  ]);
  await lost.destroy();
  await database.drop();
});

test("a consumer that asks for entries is not gone, though Redis was emptied of its signs of life", async () => {
  await using pipeline = await aPipeline();
  const { redis, keys, groups } = pipeline;
  await pipeline.signUp(aSignup());
  await redis.xreadgroup("GROUP", GROUP, "consumer-1", "STREAMS", keys.events, ">");
  const { findings } = await readSituation({ ...pipeline.ops, keys, groups }, new Date());
  expect(findings.filter(({ sentence }) => sentence.includes("are gone"))).toEqual([]);
});

test("a table that somebody has locked is named, with who did it, also if it keeps the state from being read", async () => {
  await using pipeline = await aPipeline();
  const { redis, keys, groups } = pipeline;
  const stranger = openDatabase({ url: pipeline.url, poolSize: 1, applicationName: "a stranger" });
  const inTheWay = async (table: string) => {
    const { findings } = await stranger.transaction().execute(async (transaction) => {
      await sql`lock table ${sql.table(table)} in access exclusive mode`.execute(transaction);
      return eventually(async () => {
        const situation = await watchSituation({ ...pipeline.ops, redis, keys, groups }, new Date());
        return situation.findings[0].sentence.includes("locked") && situation;
      });
    });
    return findings[0].sentence;
  };
  for (const table of ["users", "deliveries"])
    expect(await inTheWay(table)).toStartWith(`a stranger has locked the table ${table} of PostgreSQL for `);
  await stranger.destroy();
});

test("a key that holds another type than it should is named, and what to do about it", async () => {
  await using pipeline = await aPipeline();
  const { redis, keys, groups } = pipeline;
  const ofReports = [keys.reports(GROUP), keys.history(GROUP), keys.apis];
  const needed = [keys.paused, keys.events, keys.retrySet(GROUP), keys.signsOfLife(GROUP)];
  for (const key of [...needed, ...ofReports]) {
    const kept = (await redis.exists(key)) === 1;
    if (kept) await redis.rename(key, `${key}:kept`);
    await redis.set(key, "in the way");
    const { findings, status } = await readSituation({ ...pipeline.ops, keys, groups }, new Date());
    expect(status).toBeUndefined();
    expect(findings).toEqual([
      {
        level: "trouble",
        sentence: expect.stringMatching(
          new RegExp(
            `^The key .${key.slice(1)} of Redis holds another type than .*${ofReports.includes(key) ? "; work goes on" : "is lost"}$`,
          ),
        ),
        remedy: `find out who wrote it, then: redis-cli UNLINK '${key}'`,
      },
    ]);
    await redis.unlink(key);
    if (kept) await redis.rename(`${key}:kept`, key);
  }
});

test("a Redis that refuses to be read is said to be that, with what waits in the outbox", async () => {
  await using own = await anOwnRedis();
  await using pipeline = await aPipeline(undefined, undefined, own.url);
  const { redis, keys, groups } = pipeline;
  await pipeline.writeOnly(aSignup());
  await redis.config("SET", "replica-serve-stale-data", "no");
  // Nobody listens there.
  await redis.replicaof("127.0.0.1", 1);
  const { findings } = await readSituation({ ...pipeline.ops, keys, groups }, new Date());
  await redis.replicaof("NO", "ONE");
  expect(findings).toEqual([
    {
      level: "trouble",
      sentence: expect.stringMatching(
        /^Redis refuses a command \(MASTERDOWN\): signups succeed, and their events wait in the outbox \(1, the oldest for .*\); none is lost$/,
      ),
      remedy: "ops doctor",
    },
    expect.objectContaining({
      level: "notice",
      sentence: expect.stringMatching(/^Which consumers run cannot be told/),
    }),
  ]);
});

test("who is not answered by Postgres does not say what it answers the apis: they say it", async () => {
  await using pipeline = await aPipeline();
  const { redis, keys, groups } = pipeline;
  const first = async () => (await readSituation({ db, redis, keys, groups }, new Date())).findings[0];
  expect((await first()).sentence).toContain(", and no api says what it answers them: if nothing, signups are refused");
  await writeApiReport(redis, keys, "api-1", { host: "web-1", loops: {} });
  expect(await first()).toMatchObject({
    level: "notice",
    sentence:
      "PostgreSQL does not answer (asked from here): nobody could look, and api-1 on web-1 reports no trouble with it",
  });
});

test("what is due within a minute waits for the end of its delay, and not for a consumer", async () => {
  await using pipeline = await aPipeline();
  const { keys, groups } = pipeline;
  const eventId = await pipeline.writeOnly(aSignup());
  await sql`delete from outbox`.execute(pipeline.db);
  const due = sql`now() + interval '30 s'`;
  await sql`update deliveries set published_at = ${due}, next_try_at = ${due} where event_id = ${eventId}`.execute(
    pipeline.db,
  );
  const { findings } = await readSituation({ ...pipeline.ops, keys, groups }, new Date());
  expect(findings.map(({ sentence }) => sentence)).toEqual(["All is well: 1 waits until its delay is over"]);
});
