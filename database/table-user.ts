import { type Database, statement } from "./connection.ts";
import { TABLES } from "./roles.ts";

/** Whose transaction has used one of our tables for longest, so that nobody can change it. */
export interface TableUser {
  readonly pid: number;
  readonly name: string;
  readonly table: string;
  /** For how long the transaction has been open, in ms; undefined: our role may not know. */
  readonly openMs?: number;
  readonly isAutovacuum: boolean;
  readonly deadlockTimeoutMs: number;
}

interface UserRow {
  readonly pid: number;
  readonly name: string;
  readonly table: string;
  readonly open_ms: number | null;
  readonly is_autovacuum: boolean;
  readonly deadlock_timeout_ms: number;
}

/** Without more rights a role sees nothing of others' transactions but who has them; an autovacuum runs for nobody. */
const longest = statement<UserRow, [string]>(`
  select sessions.pid, relname as "table", usesysid is null as is_autovacuum,
    case when usesysid is null then 'autovacuum' else coalesce(nullif(application_name, ''), 'unnamed') end as name,
    extract(epoch from clock_timestamp() - xact_start)::float8 * 1000 as open_ms,
    extract(epoch from current_setting('deadlock_timeout')::interval)::float8 * 1000 as deadlock_timeout_ms
  from pg_locks as locks
    join pg_class on pg_class.oid = locks.relation
    join pg_stat_activity as sessions on sessions.pid = locks.pid
  where locktype = 'relation' and granted and sessions.datname = current_database()
    and locks.database = (select oid from pg_database where datname = current_database())
    and relnamespace = current_schema()::regnamespace and relname in (select json_array_elements_text($1::text::json))
    and sessions.pid <> pg_backend_pid()
  order by xact_start nulls last, sessions.pid limit 1`);

/** The transaction that has used one of our tables for longest; undefined if there is none. */
export const findTableUser = async (db: Database): Promise<TableUser | undefined> => {
  const [row] = await longest(db, JSON.stringify(TABLES));
  if (row === undefined) return undefined;
  const { pid, name, table, open_ms: openMs, is_autovacuum: isAutovacuum } = row;
  const known = { pid, name, table, isAutovacuum, deadlockTimeoutMs: Math.ceil(row.deadlock_timeout_ms) };
  return openMs === null ? known : { ...known, openMs };
};
