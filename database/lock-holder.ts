import { pause } from "../runtime/loop.ts";
import { type Database, statement } from "./connection.ts";

/** Who keeps a session of ours from the lock that it waits for. */
export interface LockHolder {
  readonly pid: number;
  readonly name: string;
  /** What it uses; a lock that is not of a table is one of ours that lets one command run at a time. */
  readonly table: string;
  /** For how long the transaction has been open, in ms; undefined: our role may not know. */
  readonly openMs?: number;
  /** An autovacuum ends for whoever has waited for it so long, in ms; undefined: no autovacuum, or one that ends for nobody. */
  readonly givesWayAfterMs?: number;
}

interface HolderRow {
  readonly pid: number;
  readonly name: string;
  readonly table: string;
  readonly open_ms: number | null;
  readonly gives_way_after_ms: number | null;
}

/**
 * $1 pid. Without more rights a role sees nothing of others' sessions but who has them, of an autovacuum that it has no user.
 * That comes last: while a session blocks us too, it would end in vain. So does who only waits before us.
 */
const holderOf = statement<HolderRow, [number]>(`
  select holds.pid, coalesce(awaited.relation::regclass::text, 'the lock of another command') as "table",
    case when holds.usesysid is null then 'autovacuum' else coalesce(nullif(holds.application_name, ''), 'unnamed') end as name,
    extract(epoch from clock_timestamp() - holds.xact_start)::float8 * 1000 as open_ms,
    case when holds.usesysid is null and holds.query not like '%(to prevent wraparound)%'
      then ceil(extract(epoch from current_setting('deadlock_timeout')::interval) * 1000)::int end as gives_way_after_ms
  from pg_stat_get_activity($1::int) as waits
    join pg_locks as awaited on awaited.pid = waits.pid and not awaited.granted
    join pg_stat_activity as holds on holds.pid = any (pg_blocking_pids(waits.pid))
  where waits.wait_event_type = 'Lock'
  order by holds.usesysid is null, holds.wait_event_type is not distinct from 'Lock', holds.xact_start nulls last, holds.pid limit 1`);

const findLockHolder = async (db: Database, pid: number): Promise<LockHolder | undefined> => {
  const [row] = await holderOf(db, pid);
  if (row === undefined) return undefined;
  const { pid: holder, name, table, open_ms: openMs, gives_way_after_ms: givesWayAfterMs } = row;
  return {
    ...{ pid: holder, name, table },
    ...(openMs === null ? {} : { openMs }),
    ...(givesWayAfterMs === null ? {} : { givesWayAfterMs }),
  };
};

/** Several times within the shortest wait. While the session does not wait, a look reads one entry of shared memory. */
const LOOK_MS = 50;

/** Looks who blocks the session, from another connection, until `signal` is aborted: calls `onFound` each time that somebody does. */
export const watchLockHolder = async (
  db: Database,
  pid: number,
  signal: AbortSignal,
  onFound: (holder: LockHolder) => void,
): Promise<void> => {
  while (!signal.aborted) {
    const found = await findLockHolder(db, pid);
    if (found !== undefined) onFound(found);
    await pause(LOOK_MS, signal);
  }
};
