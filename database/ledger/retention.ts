import { type Database, statement } from "../connection.ts";
import type { LogPosition } from "./replay.ts";

/** States in which nothing is left to do, and of which no dead letter is kept. */
const SQL_DELETABLE = "'done', 'suppressed', 'cancelled'";

/** Whoever deletes has this advisory lock: two at once would each lock some deliveries of an event, and neither could delete it. */
const TURN = "hashtextextended('ledger retention', 0)";

interface DeletionRow {
  readonly looked_at: number;
  readonly events: number;
  readonly deliveries: number;
  readonly last_at: string | null;
  readonly last_id: string | null;
}

/**
 * $1, $2 position in the log, $3 age in ms, $4 how many events to look at.
 *
 * An event goes with all of its deliveries or stays: one without its deliveries would count as never delivered, and a replay would
 * deliver it again. Whoever works on a delivery has locked it, or has changed it within the age: `FOR UPDATE` looks again at what was
 * changed since the statement began. Ids as an array, so that Postgres takes them by the index whatever it knows of the tables.
 */
const remove = statement<DeletionRow, [string, string, number, number]>(`
  with turn as materialized (select pg_try_advisory_xact_lock(${TURN}) as is_mine),
  old as materialized (
    select event_id, created_at from events
    where (select is_mine from turn) and (created_at, event_id) > ($1::text::timestamptz, $2::uuid)
      and created_at < now() - $3::float8 * interval '1 ms'
    order by created_at, event_id limit $4::int),
  free as materialized (
    select locked.event_id from old cross join lateral (
      select event_id from deliveries
      where deliveries.event_id = old.event_id and state in (${SQL_DELETABLE})
        and updated_at < now() - $3::float8 * interval '1 ms'
      order by group_name for update skip locked) as locked),
  closed as materialized (
    select old.event_id from old
      left join (select event_id, count(*) as count from free group by event_id) as its_free using (event_id)
      cross join lateral (select count(*) as count from deliveries where deliveries.event_id = old.event_id) as its_own
    where its_own.count = coalesce(its_free.count, 0)
      and not exists (select 1 from outbox where outbox.event_id = old.event_id)),
  gone_deliveries as (
    delete from deliveries where event_id = any (array(select event_id from closed)) returning 1),
  gone_events as (
    delete from events where event_id = any (array(select event_id from closed)) returning 1),
  last as (select event_id, created_at from old order by created_at desc, event_id desc limit 1)
  select (select count(*)::int from old) as looked_at, (select count(*)::int from gone_events) as events,
    (select count(*)::int from gone_deliveries) as deliveries,
    (select created_at::text from last) as last_at, (select event_id::text from last) as last_id`);

/** What a batch has deleted. */
export interface Deletion {
  readonly events: number;
  readonly deliveries: number;
  /** Where the next batch begins; undefined: there is nothing so old after the position, or another process deletes. */
  readonly next: LogPosition | undefined;
}

/**
 * Deletes the events after a position that are older than `olderThanMs`, each with its deliveries, if all of these have been done,
 * suppressed or cancelled for as long; looks at no more than `limit` of them. Ages by Postgres' clock.
 */
export const deleteOldEvents = async (
  db: Database,
  { after, olderThanMs, limit }: { readonly after: LogPosition; readonly olderThanMs: number; readonly limit: number },
): Promise<Deletion> => {
  const [row] = await remove(db, after.at, after.eventId, olderThanMs, limit);
  if (row === undefined) throw new Error("the deletion returned no row");
  const { events, deliveries, looked_at: lookedAt, last_at: at, last_id: eventId } = row;
  const isLast = lookedAt < limit || at === null || eventId === null;
  return { events, deliveries, next: isLast ? undefined : { at, eventId } };
};
