import { sql } from "kysely";
import type { Database } from "./connection.ts";

/** Counting stops here: the autoscaler needs to know "many", and the answer has to be cheap at any depth. */
export const BACKLOG_BOUND = 10_000;

/** Unfinished mails of a template, counted up to `BACKLOG_BOUND`. Held ones wait for an operator, not for a consumer. */
export const countUnfinished = async (db: Database, template: string): Promise<number> => {
  const { rows } = await sql<{ unfinished: number }>`
    select count(*)::int as unfinished from (
      select 1 from emails
      where template = ${template} and state in ('queued', 'sending', 'retrying', 'uncertain')
      limit ${BACKLOG_BOUND}) as bounded`.execute(db);
  return rows[0]?.unfinished ?? 0;
};

/** Whether Postgres answers. */
export const pingDatabase = async (db: Database): Promise<void> => {
  await sql`select 1`.execute(db);
};
