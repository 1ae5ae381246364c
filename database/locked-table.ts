import { isLocked } from "./errors.ts";

/** Of waits for a table: they end by the limit of the connection, which is above those for rows. */
const SHARE_OF_LIMIT = 0.95;

/** Postgres says in which row of which index or table a statement waits (`CONTEXT`), and nothing of a table that it waits for. */
const hasContext = (error: unknown): boolean => typeof error === "object" && error !== null && "where" in error;

/**
 * Whether a statement may have waited in vain for a table: it failed because of a lock, after as long as its connection waits for one, and
 * Postgres says of no row that it was that. Nor does it of the second one that waits for a row: so `IS_TABLE_LOCKED` decides. Pure.
 */
export const mayWaitForTable = (
  error: unknown,
  { waitedMs, limitMs }: { readonly waitedMs: number; readonly limitMs: number },
): boolean => isLocked(error) && !hasContext(error) && waitedMs >= SHARE_OF_LIMIT * limitMs;

/**
 * SQL: whether somebody has locked a table that a statement names, or an index of it, or waits for that: whoever comes later waits behind. $1 the
 * statement. No statement of ours asks for one of these locks.
 */
export const IS_TABLE_LOCKED = `
  select exists (
    select from pg_locks left join pg_index on indexrelid = relation
      join pg_class on pg_class.oid = coalesce(indrelid, relation)
    where locktype = 'relation' and database = (select oid from pg_database where datname = current_database())
      and mode in ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
      and relkind in ('r', 'p') and position(relname::text in $1::text) > 0) as is_locked`;
