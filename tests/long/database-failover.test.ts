import { afterAll, beforeAll, expect, test } from "bun:test";
import { cpSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import postgres from "postgres";
import { openDatabase } from "../../database/connection.ts";
import { makeRoles } from "../../database/grant-rights.ts";
import { migrateToLatest } from "../../database/migrate-to-latest.ts";
import { type LocalServer, startPostgres } from "../../local/postgres.ts";
import { eventually } from "../eventually.ts";
import { quickDirectory } from "../observability/prometheus-program.ts";
import { ownPort } from "../own-port.ts";
import { anOutbox, aPipeline, aSignup } from "../pipeline.ts";

const directory = join(quickDirectory(), `signup-stream-failover-${process.pid}`);
const SETTINGS = ["wal_level=replica", "max_wal_senders=4", "hot_standby=on", "max_connections=100"];
let primary: LocalServer;
let standby: LocalServer;

const ask = async (url: string, text: string) => {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    return await sql.unsafe(text);
  } finally {
    await sql.end();
  }
};

beforeAll(async () => {
  const [own, copy] = [join(directory, "primary"), join(directory, "standby")];
  const ports = [await ownPort(), await ownPort()] as const;
  const start = (dataDirectory: string, port: number, ...settings: readonly string[]) =>
    startPostgres({ dataDirectory, port, durable: false, settings: [...SETTINGS, ...settings] });
  const first = await start(own, ports[0]);
  const single = openDatabase({
    url: first.url,
    poolSize: 1,
    applicationName: "test migrations",
    deadlineMs: Number.POSITIVE_INFINITY,
  });
  await migrateToLatest(single);
  await makeRoles(single);
  await single.destroy();
  await first.stop();
  // A copy of a server that is stopped is a base backup.
  cpSync(own, copy, { recursive: true, preserveTimestamps: true });
  rmSync(`${copy}.log`, { force: true });
  writeFileSync(join(copy, "standby.signal"), "");
  // With it, what is acknowledged is on both.
  primary = await start(own, ports[0], "synchronous_standby_names=*");
  standby = await start(copy, ports[1], `primary_conninfo=host=127.0.0.1 port=${ports[0]} user=app`);
  await eventually(async () => (await ask(primary.url, "select 1 from pg_stat_replication")).length === 1, 10_000);
});
afterAll(async () => {
  await Promise.all([primary?.stop(), standby?.stop()]);
  rmSync(directory, { recursive: true, force: true });
});

test("a standby that is promoted takes over: what was acknowledged is there, and signups and mails go on", async () => {
  const url = new URL(primary.url);
  const both = `postgres://app@127.0.0.1:${new URL(standby.url).port},127.0.0.1:${url.port}${url.pathname}?target_session_attrs=read-write`;
  const db = openDatabase({ url: both, poolSize: 4, applicationName: "test" });
  await using pipeline = await aPipeline(undefined, { url: both, db, drop: () => db.destroy() });
  const outbox = anOutbox();
  await pipeline.consumer(outbox.work);
  // The first address is the standby's.
  const before = await pipeline.signUp(...Array.from({ length: 10 }, () => aSignup()));
  await eventually(async () => outbox.sent.length === before.length);

  const acknowledged = await Promise.all(Array.from({ length: 10 }, () => pipeline.writeOnly(aSignup())));
  await primary.stop();
  await ask(standby.url, "select pg_promote()");
  const there = await ask(standby.url, "select event_id from events");
  expect(new Set(there.map((row) => row["event_id"]))).toEqual(new Set([...before, ...acknowledged]));

  const after = await eventually(async () => pipeline.signUp(aSignup()).catch(() => false as const), 15_000);
  await eventually(async () => outbox.sent.length === before.length + 1, 15_000);
  expect(outbox.sent).toContain(after[0] ?? "");
});
