import { sql } from "kysely";
import type { Database } from "../database/connection.ts";

/** A commit of a step in the ledger that does not end, as where the synchronous standby is away: no limit of Postgres' own ends it. */
const STALLING = [
  "create table stall (consumer text, state text)",
  "grant select on stall to public",
  `create function stall() returns trigger language plpgsql as $$
    begin
      while exists (select from stall where consumer = new.timeline -> -1 ->> 'by' and state = new.state) loop
        perform pg_sleep(0.02);
      end loop;
      return null;
    end $$`,
  `create constraint trigger stall after insert or update on deliveries deferrable initially deferred
    for each row execute function stall()`,
];

/** Stalls commits of one consumer. */
export interface StalledCommits {
  /** From now on: those that bring deliveries to this state. */
  begin(consumer: string, state: string): Promise<void>;
  /** How many of a statement's backends wait in their commit now. */
  waiting(): Promise<number>;
  /** All end. */
  end(): Promise<void>;
}

export const createStalledCommits = async (db: Database): Promise<StalledCommits> => {
  for (const text of STALLING) await sql.raw(text).execute(db);
  return {
    begin: async (consumer, state) => {
      await sql`insert into stall values (${consumer}, ${state})`.execute(db);
    },
    waiting: async () =>
      (
        await sql<{ n: number }>`select count(*)::int as n from pg_stat_activity
          where datname = current_database() and wait_event = 'PgSleep'`.execute(db)
      ).rows[0]?.n ?? 0,
    end: async () => {
      await sql`delete from stall`.execute(db);
    },
  };
};
