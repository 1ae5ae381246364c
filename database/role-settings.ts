import { sql } from "kysely";
import type { Database } from "./connection.ts";
import { DEADLINE_MS, sessionSettings } from "./limits.ts";

/** Whether the connections of a pool have what they ask for: a pooler does not pass it on. */
const isSet = async (db: Database): Promise<boolean> => {
  const shown = await sql<{ limit: string; rows: string }>`
    select current_setting('statement_timeout') as "limit", current_setting('row_security') as "rows"`.execute(db);
  return shown.rows[0]?.limit !== "0" && shown.rows[0]?.rows === "off";
};

/**
 * Where a pooler keeps the settings of our connections from the server, makes them the defaults of our role in this database:
 * new connections of the pooler begin with them. Without a pooler nothing is changed, so other sessions of the role keep
 * theirs. True if something was changed.
 */
export const keepSettingsBehindPooler = async (db: Database): Promise<boolean> => {
  if (await isSet(db)) return false;
  const changes = Object.entries(sessionSettings(DEADLINE_MS)).map(
    ([name, value]) =>
      `execute format('alter role current_user in database %I set ${name} = ${value}', current_database());`,
  );
  await sql.raw(`do $$ begin ${changes.join(" ")} end $$`).execute(db);
  return true;
};
