import { expect, test } from "bun:test";
import { sql } from "kysely";
import { eventually } from "../tests/eventually.ts";
import { aStallingPostgres } from "../tests/own-stalling-postgres.ts";
import { openDatabase } from "./connection.ts";
import { makeRoles } from "./grant-rights.ts";
import { migrateToLatest } from "./migrate-to-latest.ts";
import { findStalledCommits, pingCommits } from "./stalled-commits.ts";

test("our commits that wait for a synchronous standby are found by who only reads, with since when, and nobody else's", async () => {
  await using postgres = await aStallingPostgres();
  const open = (applicationName: string, user?: string) => {
    const url = new URL(postgres.url);
    if (user !== undefined) url.username = user;
    return openDatabase({ url: url.href, poolSize: 1, applicationName, deadlineMs: Number.POSITIVE_INFINITY });
  };
  const [reads, writes, stranger, guest] = [
    open("ops"),
    open("consumer-1", "signup_consumer"),
    open("a stranger"),
    open("a guest", "guest"),
  ];
  const ended = (written: Promise<unknown>) => written.catch((error: unknown) => error);
  const write = (db: typeof reads) =>
    ended(sql`insert into paused_groups (group_name, paused_by) values (${Bun.randomUUIDv7()}, 'test')`.execute(db));
  try {
    await migrateToLatest(reads);
    await makeRoles(reads);
    await sql`create role guest login superuser`.execute(reads);
    await sql`create table written (at timestamptz)`.execute(reads);
    await sql`select 1`.execute(writes);
    expect(await findStalledCommits(reads)).toBeUndefined();
    await postgres.stall();

    const others = [ended(sql`insert into written values (now())`.execute(stranger)), write(guest)];
    const waiting = async () =>
      (
        await sql<{ forS: number }>`select min(extract(epoch from clock_timestamp() - query_start))::float8 as "forS"
          from pg_stat_activity where wait_event = 'SyncRep' having count(*) = 2`.execute(reads)
      ).rows[0]?.forS;
    await eventually(async () => ((await waiting()) ?? 0) > 6);
    expect(await findStalledCommits(reads)).toBeUndefined();

    const begunAt = Date.now();
    const own = write(writes);
    const since = await eventually(() => findStalledCommits(reads));
    expect(Math.abs(since.getTime() - begunAt)).toBeLessThan(60_000);
    await expect(pingCommits(reads)).rejects.toMatchObject({ code: "58030", since });
    await postgres.goOn();
    await Promise.all([...others, own]);
    await eventually(async () => (await findStalledCommits(reads)) === undefined);
    expect(await pingCommits(reads)).toBeUndefined();
  } finally {
    await Promise.all([reads, writes, stranger, guest].map((each) => each.destroy()));
  }
}, 60_000);
