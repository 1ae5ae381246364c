import { type EventRow, type NewEvent, SQL_EVENT_ROW } from "../events.ts";
import { sqlLockTimeout } from "../lock-timeout.ts";

/** Everything that a signup writes, already validated, normalised and hashed. */
export interface NewSignup {
  /** UUIDv7 */
  readonly userId: string;
  /** The event: `user.signed_up.v1`. */
  readonly event: NewEvent;
  readonly userName: string;
  readonly userNameKey: string;
  readonly email: string;
  readonly emailKey: string;
  /** argon2id, PHC string. */
  readonly passwordHash: string;
  readonly locale: string;
  /** SHA-256 of the client's Idempotency-Key, in hex. */
  readonly idempotencyKeyHash?: string | undefined;
}

/** A signup as a row of the statements' JSON parameter, without what is missing or said already: to read it costs Postgres as much as an index. */
export interface SignupRow extends Omit<EventRow, "tracestate"> {
  readonly user_id: string;
  readonly tracestate: string | undefined;
  readonly user_name: string;
  /** Undefined: the name itself. */
  readonly user_name_key: string | undefined;
  readonly email: string;
  /** Undefined: the address itself. */
  readonly email_key: string | undefined;
  readonly password_hash: string;
  readonly locale: string;
  readonly key_hash: string | undefined;
}

/** Field by field: it is made for every signup, and what is spread costs twice as much. */
export const toSignupRow = (signup: NewSignup): SignupRow => ({
  user_id: signup.userId,
  event_id: signup.event.eventId,
  type: signup.event.type,
  subject: signup.event.subject,
  data: signup.event.data,
  traceparent: signup.event.traceparent,
  tracestate: signup.event.tracestate,
  user_name: signup.userName,
  user_name_key: signup.userNameKey === signup.userName ? undefined : signup.userNameKey,
  email: signup.email,
  email_key: signup.emailKey === signup.email ? undefined : signup.emailKey,
  password_hash: signup.passwordHash,
  locale: signup.locale,
  key_hash: signup.idempotencyKeyHash,
});

/** SQL: the rows as `input`. $1 the rows, $2 how long to wait for a lock in ms. */
export const SQL_INPUT = `input as (
    select user_id, user_name, coalesce(user_name_key, user_name) as user_name_key, email,
      coalesce(email_key, email) as email_key, password_hash, locale, key_hash,
      event_id, type, subject, data, traceparent, tracestate
    from json_to_recordset($1::json) as row (
      user_id uuid, user_name text, user_name_key text, email text, email_key text, password_hash text, locale text,
      key_hash text, ${SQL_EVENT_ROW})
    where ${sqlLockTimeout("$2")})`;

/** SQL: writes the keys of `input`, sorted; `new_keys` has the users of those that were not used before. */
export const SQL_NEW_KEYS = `new_keys as (
    insert into idempotency_keys (key_hash, user_id, event_id)
    select decode(key_hash, 'hex'), user_id, event_id from input where key_hash is not null
    order by key_hash
    on conflict do nothing
    returning user_id)`;

/** SQL: the columns of a user in `input`. */
export const SQL_USER = "user_id, user_name, user_name_key, email, email_key, password_hash, locale";
