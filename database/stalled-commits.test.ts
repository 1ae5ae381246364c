import { expect, test } from "bun:test";
import { sql } from "kysely";
import { eventually } from "../tests/eventually.ts";
import { aStallingPostgres } from "../tests/own-stalling-postgres.ts";
import { openDatabase } from "./connection.ts";
import { findStalledCommits, pingCommits } from "./stalled-commits.ts";

test("commits that wait for a synchronous standby are found by who only reads, with since when, until they end", async () => {
  await using postgres = await aStallingPostgres();
  const open = (applicationName: string) => openDatabase({ url: postgres.url, poolSize: 1, applicationName });
  const [reads, writes] = [open("reads"), open("writes")];
  try {
    await sql`create table written (at timestamptz)`.execute(writes);
    expect(await findStalledCommits(reads)).toBeUndefined();
    await postgres.stall();
    const begunAt = Date.now();
    const written = sql`insert into written values (now())`.execute(writes).catch((error: unknown) => error);
    const since = await eventually(() => findStalledCommits(reads));
    expect(Math.abs(since.getTime() - begunAt)).toBeLessThan(60_000);
    await expect(pingCommits(reads)).rejects.toMatchObject({ code: "58030", since });
    await postgres.goOn();
    await written;
    await eventually(async () => (await findStalledCommits(reads)) === undefined);
    expect(await pingCommits(reads)).toBeUndefined();
  } finally {
    await Promise.all([reads.destroy(), writes.destroy()]);
  }
}, 60_000);
