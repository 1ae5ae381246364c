import { type Database, statement } from "../connection.ts";
import { type LoggedEvent, SQL_LOGGED_EVENT } from "../events.ts";
import type { DeliveryState } from "./states.ts";
import { firstStep } from "./timeline.ts";

/** A position in the log: the time with Postgres' precision, and the event's id. */
export interface LogPosition {
  readonly at: string;
  readonly eventId: string;
}

/** An event of the log, and where its delivery to one group stands; null: the group has none. */
export interface ReplayableEvent extends LoggedEvent {
  readonly state: DeliveryState | null;
  /** `created_at` as Postgres writes it, microseconds included: a `Date` would lose them and skip rows. */
  readonly at: string;
}

/** Below every UUID. */
const LOWEST_ID = "00000000-0000-0000-0000-000000000000";

/**
 * Times are passed as text: the driver would convert a timestamptz to a `Date` and lose the microseconds. The ids of the page as an array:
 * Postgres (17 and later) goes through the ledger's key once, where a join would search it from its root for each event.
 */
const page = statement<ReplayableEvent, [string, string, string, string, number]>(`
  with page as materialized (
    select ${SQL_LOGGED_EVENT}, events.created_at::text as at from events
    where (events.created_at, events.event_id) > ($2::text::timestamptz, $3::uuid) and events.created_at <= $4::text::timestamptz
    order by events.created_at, events.event_id limit $5::int),
  its as (
    select event_id, state from deliveries
    where event_id = any (array(select event_id from page)) and group_name = $1::text)
  select page.*, its.state from page left join its using (event_id) order by page.created_at, page.event_id`);

/** The next events of the log after a position and not later than `to`, oldest first, with their deliveries to a group. */
export const readLogPage = (
  db: Database,
  options: { readonly group: string; readonly after: LogPosition; readonly to: string; readonly limit: number },
): Promise<readonly ReplayableEvent[]> =>
  page(db, options.group, options.after.at, options.after.eventId, options.to, options.limit);

const positionOf = statement<{ at: string }, [string]>(`
  select (created_at - interval '1 microsecond')::text as at from events where event_id = $1::uuid`);

/** The position just before an event; undefined if the log does not have it. */
export const positionBefore = async (db: Database, eventId: string): Promise<LogPosition | undefined> => {
  const [row] = await positionOf(db, eventId);
  return row === undefined ? undefined : { at: row.at, eventId: LOWEST_ID };
};

/** The position just before the first event at or after a time. */
export const positionAt = (time: Date): LogPosition => ({ at: time.toISOString(), eventId: LOWEST_ID });

const clock = statement<{ at: string }, []>("select now()::text as at");

/** Postgres' current time, for the end of a range. */
export const readLogEnd = async (db: Database): Promise<string> => {
  const [row] = await clock(db);
  if (row === undefined) throw new Error("Postgres returned no time");
  return row.at;
};

const enlist = statement<{ event_id: string }, [readonly string[], string]>(`
  insert into deliveries (group_name, event_id, timeline)
  select $2::text, event_id, ${firstStep({ state: "'queued'", by: "'ops'", reason: "'replayed'" })}
  from events where event_id in (select value::uuid from json_array_elements_text($1::json))
  order by event_id
  on conflict do nothing
  returning event_id`);

/** Makes the missing deliveries of a group; returns the event ids of those that this call made. */
export const enlistEvents = async (db: Database, eventIds: readonly string[], group: string): Promise<Set<string>> =>
  eventIds.length === 0 ? new Set() : new Set((await enlist(db, eventIds, group)).map((row) => row.event_id));
