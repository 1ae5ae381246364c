import { expect, test } from "bun:test";
import { CompiledQuery, sql } from "kysely";
import { withTestDatabase } from "../tests/database.ts";
import { eventually } from "../tests/eventually.ts";
import { openDatabase, pingDatabase, statement } from "./connection.ts";
import { databaseFault } from "./errors.ts";
import { DatabaseSilent } from "./pool-errors.ts";
import { StatementsUnended } from "./unended.ts";

/** A commit that does not end while there is a row in `stall`: no limit of Postgres' own ends it. */
const STALLING = [
  "create table stall ()",
  "grant select on stall to public",
  `create function stall() returns trigger language plpgsql as $$
    begin while exists (select from stall) loop perform pg_sleep(0.02); end loop; return null; end $$`,
  `create constraint trigger stall after insert on suppressions deferrable initially deferred
    for each row execute function stall()`,
  "insert into stall default values",
];
const SIZE = 2;
const TEXT = "insert into suppressions (email_key, reason, event_id) values ($1::text, 'x', gen_random_uuid())";

test.each([false, true])(
  "while commits do not end, what is refused is not made, connections stay bounded, and what reads goes on; pipelined: %p",
  async (isPipelined) => {
    const write = statement<never, [string]>(TEXT, { isPipelined });
    const database = await withTestDatabase();
    for (const text of STALLING) await sql.raw(text).execute(database.db);
    const db = openDatabase({ url: database.url, poolSize: SIZE, applicationName: "stalled", deadlineMs: 1_000 });
    const failure = (key: string) => write(db, key).catch((error: unknown) => error);
    const backends = async () =>
      (
        await sql<{ n: number }>`select count(*)::int as n from pg_stat_activity
        where datname = current_database() and application_name = 'stalled'`.execute(database.db)
      ).rows[0]?.n ?? 0;

    const first = failure("1");
    // By then the other one may follow it.
    await eventually(async () => (await backends()) === 1);
    const given = await Promise.all([first, failure("2")]);
    for (const error of given) expect(databaseFault(error).kind).toBe("unavailable");
    expect(given[0]).toBeInstanceOf(DatabaseSilent);
    const refused = [0, 1, 2].map((round) => ["a", "b", "c"].map((letter) => `${round} ${letter}`));
    for (const keys of refused) {
      for (const error of await Promise.all(keys.map(failure))) expect(error).toBeInstanceOf(StatementsUnended);
      expect(await pingDatabase(db)).toBeUndefined();
    }
    expect(await backends()).toBeLessThanOrEqual(2 * SIZE);

    await database.db.executeQuery(CompiledQuery.raw("delete from stall"));
    await eventually(async () => !((await failure("after")) instanceof Error));
    await eventually(async () => (await backends()) <= SIZE);
    // Then no backend is left that could still make one.
    await db.destroy();
    await eventually(async () => (await backends()) === 0);
    const { rows } = await sql<{ email_key: string }>`select email_key from suppressions order by 1`.execute(
      database.db,
    );
    const made = rows.map(({ email_key }) => email_key);
    expect(made.filter((key) => refused.flat().includes(key))).toEqual([]);
    // The one that followed was sent or not.
    expect(isPipelined ? made.filter((key) => key !== "2") : made).toEqual(
      isPipelined ? ["1", "after"] : ["1", "2", "after"],
    );
    await database.drop();
  },
);
