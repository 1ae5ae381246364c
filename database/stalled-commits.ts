import { pause } from "../runtime/loop.ts";
import { UNENDED } from "../runtime/published-fault.ts";
import { type Database, pingDatabase, statement } from "./connection.ts";
import { DEADLINE_MS, limitsFor } from "./limits.ts";
import { SERVICE_ROLES, TABLES } from "./roles.ts";

/** Its time before it waits is a statement's own work. */
const LONGEST_STATEMENT_MS = limitsFor(DEADLINE_MS).statement_timeout;
const WAITS_MS = 1_000;

/**
 * Since when, by some seconds, the longest commit of ours waits for a synchronous standby: Postgres does not say when a wait began, but the statement, and
 * ours take no longer than their limit, but for migrations. Nothing ends it before the standby confirms: no limit of Postgres', nor that the one who waits is gone. Of other
 * roles only members of pg_read_all_stats see it.
 *
 * Ours are those of our roles, or of who asks, that have written our tables: a commit that waits still has its locks. Others may wait for more
 * (`synchronous_commit` is a session's own). Names of sessions would not do: not every pooler passes them on.
 *
 * $1 roles, $2 tables, $3 ms.
 */
const find = statement<{ since: Date | null }, [readonly string[], readonly string[], number]>(`
  select min(greatest(query_start, state_change)) as since from pg_stat_activity as session
  where datname = current_database() and wait_event = 'SyncRep' and application_name <> 'migrate'
    and usename in (select current_user union all select value from json_array_elements_text($1::json))
    and greatest(query_start, state_change) < clock_timestamp() - $3::float8 * interval '1 ms'
    and exists (
      select from pg_locks join pg_class on pg_class.oid = relation
      where pg_locks.pid = session.pid and mode = 'RowExclusiveLock' and relnamespace = current_schema()::regnamespace
        and relname in (select value from json_array_elements_text($2::json)))`);

/** Undefined: commits end. */
export const findStalledCommits = async (db: Database): Promise<Date | undefined> =>
  (await find(db, SERVICE_ROLES, TABLES, LONGEST_STATEMENT_MS + WAITS_MS))[0]?.since ?? undefined;

/** Postgres answers whoever reads, and ends no commit. */
export class CommitsStalled extends Error {
  override readonly name = "CommitsStalled";
  readonly code = UNENDED;
  readonly since: Date;
  constructor(since: Date) {
    super(`PostgreSQL has ended no commit since about ${since.toISOString()}: its synchronous standby does not answer`);
    this.since = since;
  }
}

/** For a connection: all of them may be in use. */
const FOUND_WITHIN_MS = 500;

/**
 * Asks Postgres for a sign of life, and whether its commits end.
 *
 * @throws {CommitsStalled} it answers, and they do not
 * @throws the driver's error if it does not answer
 */
export const pingCommits = async (db: Database): Promise<void> => {
  const ended = new AbortController();
  const found = findStalledCommits(db).catch(() => undefined);
  const [since] = await Promise.all([
    Promise.race([found, pause(FOUND_WITHIN_MS, ended.signal).then(() => undefined)]),
    pingDatabase(db),
  ]).finally(() => ended.abort());
  if (since !== undefined) throw new CommitsStalled(since);
};
