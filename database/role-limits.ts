import { sql } from "kysely";
import type { Database } from "./connection.ts";
import { DEADLINE_MS, limitsFor } from "./limits.ts";

/** Whether the connections of a pool have a limit: a pooler does not pass on what they ask for. */
const isLimited = async (db: Database): Promise<boolean> => {
  const shown = await sql<{ limit: string }>`select current_setting('statement_timeout') as "limit"`.execute(db);
  return shown.rows[0]?.limit !== "0";
};

/**
 * Where a pooler keeps the limits of our connections from the server, makes them the defaults of our role in this database:
 * new connections of the pooler begin with them. Without a pooler nothing is changed, so other sessions of the role keep
 * theirs. True if something was changed.
 */
export const keepLimitsBehindPooler = async (db: Database): Promise<boolean> => {
  if (await isLimited(db)) return false;
  const changes = Object.entries(limitsFor(DEADLINE_MS)).map(
    ([name, ms]) => `execute format('alter role current_user in database %I set ${name} = ${ms}', current_database());`,
  );
  await sql.raw(`do $$ begin ${changes.join(" ")} end $$`).execute(db);
  return true;
};
