import { type Database, statement } from "./connection.ts";
import { isLocked } from "./errors.ts";
import { type LoggedEvent, SQL_LOGGED_EVENT } from "./events.ts";
import { withStepAt } from "./ledger/timeline.ts";
import { sqlLockTimeout } from "./lock-timeout.ts";
import { sqlIsAhead } from "./set-back.ts";

const lease = statement<LoggedEvent, [number, number, number]>(`
  with due as (
    select event_id from outbox
    where (created_at < now() - $1::float8 * interval '1 ms' or ${sqlIsAhead("created_at")})
      and (lease_until is null or lease_until < now() or ${sqlIsAhead("lease_until")})
    order by created_at, event_id limit $2::int for update skip locked),
  leased as (
    update outbox set lease_until = now() + $3::float8 * interval '1 ms'
    from due where outbox.event_id = due.event_id
    returning outbox.event_id)
  select ${SQL_LOGGED_EVENT} from events join leased using (event_id) order by created_at, event_id`);

/**
 * Leases the oldest rows that are older than `olderThanMs`, for `leaseMs`: other relays skip them. The rows of a relay that
 * dies are leased again when the lease runs out, or when Postgres' clock was set back since. Leases are shorter than a minute.
 */
export const leaseOutbox = (
  db: Database,
  options: { readonly olderThanMs: number; readonly limit: number; readonly leaseMs: number },
): Promise<readonly LoggedEvent[]> => lease(db, options.olderThanMs, options.limit, options.leaseMs);

/**
 * Rows by event id, locked in the order of their key; each is looked up by the index, however many rows are dead. A row that
 * somebody else has locked stays: it is published again, harmlessly.
 */
const SQL_LOCKED = `locked as (
    select current.event_id
    from (select distinct value::uuid as event_id from json_array_elements_text($1::json) order by 1) as wanted
    cross join lateral (
      select event_id from outbox where outbox.event_id = wanted.event_id limit 1 for update skip locked) as current)`;
/** The ids of these rows; an array, because a join would read the whole table. */
const SQL_LOCKED_IDS = "array(select event_id from locked)";

const release = statement<never, [readonly string[]]>(`
  with ${SQL_LOCKED}
  update outbox set lease_until = null where event_id = any(${SQL_LOCKED_IDS})`);

/** Releases rows that could not be published: any relay may lease them at once. */
export const releaseOutbox = async (db: Database, eventIds: readonly string[]): Promise<void> => {
  await release(db, eventIds);
};

/** Commits without a flush of its own: what a crash of Postgres brings back within its `wal_writer_delay` is published again, harmlessly. */
const remove = statement<never, [readonly string[], number]>(`
  delete from outbox where event_id = any(array(
    select value::uuid from json_array_elements_text($1::json)
    where ${sqlLockTimeout("$2")} and (select set_config('synchronous_commit', 'off', true)) is not null order by 1))`);

const removeUnlocked = statement<never, [readonly string[]]>(`
  with ${SQL_LOCKED}
  delete from outbox where event_id = any(${SQL_LOCKED_IDS})`);

/** Somebody else who locks a row of the outbox does so for longer: it is a person, or a program of one. */
const LOCK_TIMEOUT_MS = 10;

/**
 * Deletes rows whose XADD was confirmed; one that somebody else has locked stays. Nobody has, nearly always: to lock each row first costs as
 * much as to delete it, and twice its write-ahead log, so that is done only after a wait in vain.
 */
export const deletePublished = async (db: Database, eventIds: readonly string[]): Promise<void> => {
  try {
    await remove(db, eventIds, LOCK_TIMEOUT_MS);
  } catch (error) {
    if (!isLocked(error)) throw error;
    await removeUnlocked(db, eventIds);
  }
};

/**
 * $2 lease ms. What a relay has leased it publishes, and a consumer may be done before that is noted: the step stands where the row was leased, in
 * the state of that moment.
 */
const removeLate = statement<{ event_id: string }, [readonly string[], number]>(`
  with ${SQL_LOCKED},
  deleted as (
    delete from outbox where event_id = any(${SQL_LOCKED_IDS})
    returning event_id, least(lease_until - $2::float8 * interval '1 ms', now()) as relayed_at),
  locked_deliveries as (
    select group_name, event_id, relayed_at from deliveries join deleted using (event_id)
    order by event_id, group_name for update of deliveries skip locked),
  noted as (
    update deliveries set published_at = greatest(published_at, now()),
      timeline = ${withStepAt("deliveries", "coalesce(relayed_at, now())", "'relayed'")}
    from locked_deliveries
    where deliveries.event_id = locked_deliveries.event_id and deliveries.group_name = locked_deliveries.group_name)
  select event_id from deleted`);

/** The same for rows that a relay leased for `leaseMs`, and published late: the reconciler counts from now. Returns how many. */
export const deleteRelayed = async (db: Database, eventIds: readonly string[], leaseMs: number): Promise<number> =>
  (await removeLate(db, eventIds, leaseMs)).length;
