import { type Database, statement } from "../connection.ts";
import { type BoundGroup, sqlWriteEvents } from "../events.ts";
import { type SignupRow, SQL_INPUT, SQL_NEW_KEYS, SQL_USER } from "./signup-rows.ts";

/** A signup that was answered as made: the event that tells of it. */
export interface PrivatelyMade {
  readonly user_id: string;
  readonly created_at: Date;
  readonly type: string;
  readonly subject: string;
  readonly data: unknown;
}

/** SQL: `held_names.name_hash` of a key in `input`. */
export const SQL_NAME_HASH = "sha256(convert_to(input.user_name_key, 'UTF8'))";

/**
 * Like `insertSignups`, but a signup with the address of a user is answered as any other: in the same statement it writes
 * as many rows, with an event of the type `repeatedType` about that user in the place of its own. Its name is held from then
 * on: else the next signup with it would show that no user was made. Names decide first, whoever has the address.
 *
 * The event asks for a notice unless the user signed up, or was repeated, within the hour: a signup with an unknown address
 * and its repetition look the same then.
 */
export const insertPrivately = (bindings: readonly BoundGroup[], repeatedType: string) =>
  statement<PrivatelyMade, [readonly SignupRow[], number]>(`
  with ${SQL_INPUT}, ${SQL_NEW_KEYS},
  free as (
    select input.* from input
    where (key_hash is null or user_id in (select user_id from new_keys))
      and not exists (select 1 from users where users.user_name_key = input.user_name_key)
      and not exists (select 1 from held_names where held_names.name_hash = ${SQL_NAME_HASH})),
  known as (
    select distinct on (free.user_name_key) free.*, users.id as owner_id, users.locale as owner_locale,
      users.created_at <= now() - interval '1 hour'
        and not exists (select 1 from repeated_signups as earlier
          where earlier.email_key = free.email_key and earlier.created_at > now() - interval '1 hour')
        and free.user_id = first_value(free.user_id) over (partition by free.email_key order by free.user_id) as is_due
    from free join users on users.email_key = free.email_key
    order by free.user_name_key, free.user_id),
  new_users as (
    insert into users (id, user_name, user_name_key, email, email_key, password_hash, locale)
    select ${SQL_USER} from free
    where not exists (select 1 from users where users.email_key = free.email_key)
    order by email_key
    on conflict do nothing
    returning id, created_at),
  new_names as (
    insert into held_names (name_hash) select ${SQL_NAME_HASH} as name_hash from known as input order by name_hash
    on conflict do nothing
    returning name_hash),
  repeated as (
    insert into repeated_signups (user_id, event_id, user_name, email, email_key, password_hash, locale)
    select user_id, event_id, user_name, email, email_key, case when key_hash is not null then password_hash end, locale
    from known as input where ${SQL_NAME_HASH} in (select name_hash from new_names)
    returning user_id, created_at),
  made as (
    select user_id, event_id, type, subject, data, traceparent, tracestate, new_users.created_at
    from input join new_users on new_users.id = input.user_id
    union all
    select user_id, event_id, '${repeatedType}', owner_id::text,
      jsonb_build_object('user_id', owner_id, 'locale', owner_locale, 'notify', is_due), traceparent, tracestate,
      repeated.created_at
    from known join repeated using (user_id)),${sqlWriteEvents("made", bindings)}
  select user_id, created_at, type, subject, data from made`);

/** SQL: whether a signup's name is held, in `input`. */
export const SQL_IS_HELD = `exists (select 1 from held_names where held_names.name_hash = ${SQL_NAME_HASH})`;

const remove = statement<{ user_id: string }, [number]>(`
  delete from repeated_signups where user_id in (
    select user_id from repeated_signups where created_at < now() - interval '24 hours'
    order by created_at limit $1::int for update skip locked)
  returning user_id`);

/** Deletes what was answered to repeated signups more than a day ago, at most `limit`; returns how many. */
export const deleteOldRepetitions = async (db: Database, limit: number): Promise<number> =>
  (await remove(db, limit)).length;
