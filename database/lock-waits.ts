import { type Database, statement } from "./connection.ts";

/** The statement that waits longest for a lock, and who holds it. Seen by any role; texts only by those that may read them. */
export interface LockWait {
  /** Statements of this database that wait for a lock. */
  readonly waiting: number;
  readonly longestMs: number;
  readonly waiter: string;
  /** The backend that must end its transaction, and what it is called. */
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

const longest = statement<LockWaitRow, []>(`
  select count(*) over ()::int as waiting,
    greatest(0, extract(epoch from clock_timestamp() - waits.query_start))::float8 * 1000 as longest_ms,
    coalesce(nullif(waits.application_name, ''), 'unnamed') as waiter, holds.pid as blocked_by,
    coalesce(nullif(holds.application_name, ''), 'unnamed') as blocker
  from pg_stat_activity as waits
    join lateral (
      select pid, application_name from pg_stat_activity
      where pid = any (pg_blocking_pids(waits.pid)) order by xact_start nulls last limit 1) as holds on true
  where waits.datname = current_database() and waits.wait_event_type = 'Lock'
  order by waits.query_start limit 1`);

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
