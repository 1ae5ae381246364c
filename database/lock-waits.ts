import { type Database, statement } from "./connection.ts";

/** The statement that waits longest for a lock, and who holds it. Seen by any role; texts only by those that may read them. */
export interface LockWait {
  /** Statements of this database that wait for a lock. */
  readonly waiting: number;
  readonly longestMs: number;
  readonly waiter: string;
  /** The backend that must end its transaction, and what it is called; 0: none, the transaction is a prepared one. */
  readonly blockedBy: number;
  readonly blocker: string;
}

interface LockWaitRow {
  readonly waiting: number;
  readonly longest_ms: number;
  readonly waiter: string;
  readonly blocked_by: number;
  readonly blocker: string;
}

/**
 * Who queues before the waiter blocks it, too, and waits for somebody else: of all in the chain, one that waits for nobody is named. A prepared
 * transaction has no backend, and 0 in the place of one.
 */
const longest = statement<LockWaitRow, []>(`
  with recursive waits as (
    select pid, query_start, application_name, count(*) over ()::int as waiting
    from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
    order by query_start limit 1),
  chain (pid) as (
    select unnest(pg_blocking_pids(waits.pid)) from waits
    union select unnest(pg_blocking_pids(chain.pid)) from chain)
  select waits.waiting, greatest(0, extract(epoch from clock_timestamp() - waits.query_start))::float8 * 1000 as longest_ms,
    coalesce(nullif(waits.application_name, ''), 'unnamed') as waiter, holds.pid as blocked_by,
    case when holds.pid = 0 then 'a prepared transaction' else coalesce(nullif(holds.application_name, ''), 'unnamed') end as blocker
  from waits cross join lateral (
    select chain.pid, application_name from chain left join pg_stat_activity using (pid)
    order by exists (select from pg_locks where pg_locks.pid = chain.pid and not granted), xact_start nulls last, chain.pid
    limit 1) as holds`);

/** The longest wait for a lock now; undefined if nothing waits. */
export const findLockWait = async (db: Database): Promise<LockWait | undefined> => {
  const [row] = await longest(db);
  return row === undefined
    ? undefined
    : {
        waiting: row.waiting,
        longestMs: row.longest_ms,
        waiter: row.waiter,
        blockedBy: row.blocked_by,
        blocker: row.blocker,
      };
};

/** A table that somebody has locked as a whole for a while, against those who write it, or also against those who read it. */
export interface TableLock {
  readonly table: string;
  readonly heldMs: number;
  /** The backend that must end its transaction, and what it is called. */
  readonly pid: number;
  readonly holder: string;
}

interface TableLockRow {
  readonly table_name: string;
  readonly held_ms: number;
  readonly pid: number;
  readonly holder: string;
}

/** $1 ms. Statements that meet such a lock give up soon, so that hardly one is found waiting. */
const tableLock = statement<TableLockRow, [number]>(`
  select relname as table_name, held_ms, pid, holder from (
    select relation, pid, extract(epoch from clock_timestamp() - xact_start)::float8 * 1000 as held_ms,
      coalesce(nullif(application_name, ''), 'a session without a name') as holder
    from pg_locks join pg_stat_activity using (pid)
    where locktype = 'relation' and granted and pid <> pg_backend_pid()
      and mode in ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
      and database = (select oid from pg_database where datname = current_database())) as locks
  join pg_class on pg_class.oid = relation
  where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') and held_ms >= $1::int
  order by held_ms desc limit 1`);

/** The table that has been locked longest, for `heldMs` at least; undefined: none. */
export const findTableLock = async (db: Database, heldMs: number): Promise<TableLock | undefined> => {
  const [row] = await tableLock(db, heldMs);
  return row === undefined
    ? undefined
    : { table: row.table_name, heldMs: row.held_ms, pid: row.pid, holder: row.holder };
};
