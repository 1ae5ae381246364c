import { type Database, statement } from "../connection.ts";
import { type BoundGroup, sqlWriteEvents } from "../events.ts";
import { writingStatement } from "../writing-statement.ts";
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
const SQL_NAME_HASH = "sha256(convert_to(input.user_name_key, 'UTF8'))";

/**
 * Like `insertSignups`, but a signup with the address of a user is answered as any other: in the same statement it writes
 * as many rows, with an event of the type `repeatedType` about that user in the place of its own. Names decide first, whoever has the
 * address, and are held whether a user is made or not: one index decides between two signups at the same time, so that no pair of
 * them shows who has an address. Whoever loses the race for an address holds a name for nobody, and tries again: see `SQL_FREED_NAMES`.
 *
 * The event asks for a notice unless the user signed up, or was repeated, within the hour: a signup with an unknown address
 * and its repetition look the same then.
 */
export const insertPrivately = (bindings: readonly BoundGroup[], repeatedType: string) =>
  writingStatement<PrivatelyMade, SignupRow>(`
  with ${SQL_INPUT}, ${SQL_NEW_KEYS},
  free as (
    select distinct on (input.user_name_key) input.*, ${SQL_NAME_HASH} as name_hash,
      users.id as owner_id, users.locale as owner_locale, users.created_at as owner_since
    from input left join users on users.email_key = input.email_key
    where (key_hash is null or input.user_id in (select new_keys.user_id from new_keys))
      and not exists (select 1 from users as taker where taker.user_name_key = input.user_name_key)
    order by input.user_name_key, input.user_id),
  new_names as (
    insert into held_names (name_hash, user_id)
    select name_hash, coalesce(owner_id, user_id) from free order by name_hash
    on conflict do nothing
    returning name_hash),
  named as (
    select free.* from free join new_names using (name_hash)),
  known as (
    select named.*,
      owner_since <= now() - interval '1 hour'
        and not exists (select 1 from repeated_signups as earlier
          where earlier.email_key = named.email_key and earlier.created_at > now() - interval '1 hour')
        and user_id = first_value(user_id) over (partition by email_key order by user_id) as is_due
    from named where owner_id is not null),
  new_users as (
    insert into users (id, user_name, user_name_key, email, email_key, password_hash, locale)
    select ${SQL_USER} from named where owner_id is null
    order by email_key
    on conflict do nothing
    returning id, created_at),
  repeated as (
    insert into repeated_signups (user_id, event_id, user_name, email, email_key, password_hash, locale)
    select user_id, event_id, user_name, email, email_key, case when key_hash is not null then password_hash end, locale
    from known
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

/** SQL: frees the names in `input` that are held for somebody who is not there: no longer, or not after all. */
export const SQL_FREED_NAMES = `freed_names as (
    delete from held_names using input
    where held_names.name_hash = ${SQL_NAME_HASH} and held_names.user_id is not null
      and not exists (select 1 from users where users.id = held_names.user_id)
    returning held_names.name_hash)`;

/** SQL: whether a signup's name is held, in `input`. */
export const SQL_IS_HELD = `exists (select 1 from held_names where held_names.name_hash = ${SQL_NAME_HASH}
      and name_hash not in (select freed_names.name_hash from freed_names))`;

const remove = statement<{ user_id: string }, [number]>(`
  delete from repeated_signups where user_id in (
    select user_id from repeated_signups where created_at < now() - interval '24 hours'
    order by created_at limit $1::int for update skip locked)
  returning user_id`);

/** Deletes what was answered to repeated signups more than a day ago, at most `limit`; returns how many. */
export const deleteOldRepetitions = async (db: Database, limit: number): Promise<number> =>
  (await remove(db, limit)).length;
