import { type Database, statement } from "./connection.ts";

/** An event that is committed and is to be published: for the first time, or once more. */
export interface OutboxEvent {
  readonly event_id: string;
  readonly user_id: string;
  readonly locale: string;
  readonly traceparent: string;
  readonly tracestate: string | null;
  readonly created_at: Date;
}

const lease = statement<OutboxEvent, [number, number, number]>(`
  with due as (
    select event_id from outbox
    where created_at < now() - $1::float8 * interval '1 ms' and (lease_until is null or lease_until < now())
    order by created_at, event_id limit $2::int for update skip locked),
  leased as (
    update outbox set lease_until = now() + $3::float8 * interval '1 ms'
    from due where outbox.event_id = due.event_id
    returning outbox.event_id)
  select event_id, user_id, locale, traceparent, tracestate, created_at
  from emails join leased using (event_id) order by created_at, event_id`);

/**
 * Takes the oldest rows that wait for longer than `olderThanMs`, for `leaseMs`: other relays skip them. A relay that dies
 * leaves them to the next when the lease runs out.
 */
export const leaseOutbox = (
  db: Database,
  options: { readonly olderThanMs: number; readonly limit: number; readonly leaseMs: number },
): Promise<readonly OutboxEvent[]> => lease(db, options.olderThanMs, options.limit, options.leaseMs);

const release = statement<never, [readonly string[]]>(`
  with locked as (
    select event_id from outbox where event_id in (select value::uuid from json_array_elements_text($1::json))
    order by event_id for update)
  update outbox set lease_until = null from locked where outbox.event_id = locked.event_id`);

/** Gives back rows that could not be published: any relay may take them at once. */
export const releaseOutbox = async (db: Database, eventIds: readonly string[]): Promise<void> => {
  await release(db, eventIds);
};

const remove = statement<{ event_id: string }, [readonly string[]]>(`
  with locked as (
    select event_id from outbox where event_id in (select value::uuid from json_array_elements_text($1::json))
    order by event_id for update)
  delete from outbox using locked where outbox.event_id = locked.event_id
  returning outbox.event_id`);

/** Deletes rows whose XADD was confirmed. */
export const deletePublished = async (db: Database, eventIds: readonly string[]): Promise<void> => {
  await remove(db, eventIds);
};

const removeLate = statement<{ event_id: string }, [readonly string[]]>(`
  with locked as (
    select event_id from outbox where event_id in (select value::uuid from json_array_elements_text($1::json))
    order by event_id for update),
  deleted as (
    delete from outbox using locked where outbox.event_id = locked.event_id returning outbox.event_id),
  locked_emails as (
    select emails.event_id from emails join deleted using (event_id) order by emails.event_id for update of emails)
  update emails set published_at = now(),
    timeline = (case when jsonb_array_length(timeline) > 49 then timeline - 0 else timeline end)
      || jsonb_build_array(jsonb_build_object('at', now(), 'state', state, 'reason', 'relayed'))
  from locked_emails where emails.event_id = locked_emails.event_id
  returning emails.event_id`);

/** The same for rows that a relay published late: the reconciler counts from this moment. Returns how many there were. */
export const deleteRelayed = async (db: Database, eventIds: readonly string[]): Promise<number> =>
  (await removeLate(db, eventIds)).length;
