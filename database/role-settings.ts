import { sql } from "kysely";
import type { Database } from "./connection.ts";
import { DEADLINE_MS, sessionSettings } from "./limits.ts";

type Setting = readonly [name: string, value: string | number];

/** SQL that makes settings the defaults of a role, or of `current_user`, in this database. */
export const defaultsOfRole = (role: string, settings: readonly Setting[]): string => {
  const changes = settings.map(
    ([name, value]) =>
      `execute format('alter role ${role} in database %I set ${name} = ${value}', current_database());`,
  );
  return `do $$ begin ${changes.join(" ")} end $$`;
};

/** What the connections of a pool ask for and do not have: a pooler does not pass it on. A limit of the operator's own is one. */
const missingSettings = async (db: Database): Promise<readonly Setting[]> => {
  const shown = await sql<{ limit: string; rows: string }>`
    select current_setting('statement_timeout') as "limit", current_setting('row_security') as "rows"`.execute(db);
  const has = (name: string) =>
    name === "row_security" ? shown.rows[0]?.rows === "off" : shown.rows[0]?.limit !== "0";
  return Object.entries(sessionSettings(DEADLINE_MS)).filter(([name]) => !has(name));
};

/**
 * Where a pooler keeps the settings of our connections from the server, makes them the defaults of our role in this database:
 * new connections of the pooler begin with them. Without a pooler nothing is changed, so other sessions of the role keep
 * theirs. True if something was changed.
 */
export const keepSettingsBehindPooler = async (db: Database): Promise<boolean> => {
  const missing = await missingSettings(db);
  if (missing.length === 0) return false;
  await sql.raw(defaultsOfRole("current_user", missing)).execute(db);
  return true;
};
