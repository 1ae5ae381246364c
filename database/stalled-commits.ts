import { pause } from "../runtime/loop.ts";
import { UNENDED } from "../runtime/published-fault.ts";
import { type Database, pingDatabase, statement } from "./connection.ts";

/**
 * Since when the longest commit waits for a synchronous standby. Nothing ends it before the standby confirms: no limit of Postgres', nor that the one who
 * waits is gone. Of other roles only members of pg_read_all_stats see it.
 */
const find = statement<{ since: Date | null }, []>(`
  select min(query_start) as since from pg_stat_activity
  where datname = current_database() and wait_event = 'SyncRep' and query_start < clock_timestamp() - interval '2 s'`);

/** Undefined: commits end. */
export const findStalledCommits = async (db: Database): Promise<Date | undefined> =>
  (await find(db))[0]?.since ?? undefined;

/** Postgres answers whoever reads, and ends no commit. */
export class CommitsStalled extends Error {
  override readonly name = "CommitsStalled";
  readonly code = UNENDED;
  readonly since: Date;
  constructor(since: Date) {
    super(`PostgreSQL has ended no commit since ${since.toISOString()}: its synchronous standby does not answer`);
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
