import { type Database, statement } from "../database/connection.ts";
import { WELCOME_EMAIL } from "../stream/groups.ts";
import { withoutIndexes } from "./size-indexes.ts";

/** One statement makes so many: minutes of it would be lost with a slow disk otherwise. */
const SLICE = 20_000;
/** Where the indexes are there. */
const ADDED = 2_000;
/** The history ended two days ago, so long after it began. */
const HISTORY_DAYS = 365;

/** SQL: a name of ten to fifteen letters, as people choose them; the order of names is not that of the signups. */
const sqlName = (number: string): string => `substr(md5(${number}::text), 1, 7) || ${number}::text`;

/**
 * Signups $1 to $2 of $3, a year of them, each with its user, event and delivery, as signups and consumers leave them: timelines, receipts
 * and replies included. One in a hundred is suppressed, one in two hundred cancelled, one in five hundred dead, one in a thousand held.
 */
const insertHistory = statement<{ made: number }, [number, number, number]>(`
  with numbers as (
    select number, now() - interval '2 days' - (1 - number::float8 / $3::int) * interval '${HISTORY_DAYS} days' as at,
      md5(number::text) as hash, ${sqlName("number")} as name from generate_series($1::int, $2::int) as number),
  made as (
    select *, lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7' || substr(hash, 1, 3) || '8' as head,
      case when number % 100 = 1 then 'suppressed' when number % 200 = 2 then 'cancelled' when number % 500 = 3 then 'dead'
        when number % 1000 = 4 then 'held' else 'done' end as state,
      'consumer-welcome-email-5d8f7-' || substr(hash, 30, 3) as consumer from numbers),
  with_ids as (
    select *, (head || substr(hash, 4, 15))::uuid as user_id, (head || substr(hash, 16, 15))::uuid as event_id from made),
  new_users as (
    insert into users (id, user_name, user_name_key, email, email_key, password_hash, locale, created_at)
    select user_id, name, name, name || '@inbox.example', name || '@inbox.example',
      '$argon2id$v=19$m=19456,t=2,p=1$' || substr(hash, 1, 22) || '$' || hash || substr(hash, 1, 11), 'vi', at
    from with_ids),
  new_events as (
    insert into events (event_id, type, subject, data, traceparent, created_at)
    select event_id, 'user.signed_up.v1', user_id, jsonb_build_object('user_id', user_id, 'locale', 'vi'),
      '00-' || hash || '-' || substr(hash, 1, 16) || '-01', at from with_ids)
  insert into deliveries (group_name, event_id, state, fence, attempts, published_at, reason, receipt, reply, timeline, queued_at,
    created_at, updated_at)
  select '${WELCOME_EMAIL.name}', event_id, state, 1, 1, at, case when state <> 'done' then 'reason-' || (number / 1000) % 5 end,
    case when state = 'done' then '<' || event_id || '.welcome@inbox.example>' end,
    case when state = 'done' then '250 2.0.0 OK ' || substr(hash, 1, 12) end,
    jsonb_build_array(jsonb_build_object('at', at, 'state', 'queued'),
      jsonb_build_object('at', at, 'state', 'active', 'by', consumer, 'attempt', 1),
      jsonb_build_object('at', at, 'state', state, 'by', consumer, 'attempt', 1)),
    at, at, at + interval '1 s'
  from with_ids`);

/** Unfinished work, the same beside any history: $1 deliveries, of which most are queued. */
const insertUnfinished = statement<never, [number]>(`
  with made as (
    select gen_random_uuid() as event_id, gen_random_uuid() as user_id, number from generate_series(1, $1::int) as number),
  new_events as (
    insert into events (event_id, type, subject, data, traceparent)
    select event_id, 'user.signed_up.v1', user_id, jsonb_build_object('user_id', user_id, 'locale', 'vi'),
      '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' from made)
  insert into deliveries (group_name, event_id, state, reason, next_try_at, timeline)
  select '${WELCOME_EMAIL.name}', event_id, case when number % 10 = 0 then 'retrying' else 'queued' end,
    case when number % 10 = 0 then 'mailbox_full' end, case when number % 10 = 0 then now() + interval '1 hour' end,
    jsonb_build_array(jsonb_build_object('at', now(), 'state', 'queued'))
  from made`);

const vacuum = statement<never, []>("vacuum analyze");

export interface FillOptions {
  /** How many signups of a year are in the past. */
  readonly history: number;
  /** How many deliveries are unfinished. */
  readonly unfinished: number;
  readonly onProgress: (made: number) => void;
}

const TABLES = ["users", "events", "deliveries"];
/** Of tables that the same transaction has emptied Postgres logs nothing, with the least `wal_level`. */
const empty = statement<never, []>(`truncate ${TABLES.join(", ")}`);

/** Fills a database that is empty, slice by slice, and tells Postgres what is in it. */
export const fillLedger = async (db: Database, { history, unfinished, onProgress }: FillOptions): Promise<void> => {
  await db.transaction().execute(async (transaction) => {
    await empty(transaction);
    await withoutIndexes(transaction, TABLES, async () => {
      for (let first = 1; first <= history; first += SLICE) {
        const last = Math.min(history, first + SLICE - 1);
        await insertHistory(transaction, first, last, history);
        onProgress(last);
      }
    });
  });
  await insertUnfinished(db, unfinished);
  await vacuum(db);
};

/** As many signups more as if they were the last of the history, which has `history` of them; with all indexes there. */
export const addHistory = async (db: Database, history: number, more: number): Promise<void> => {
  for (let first = history + 1; first <= history + more; first += ADDED) {
    await insertHistory(db, first, Math.min(history + more, first + ADDED - 1), history + more);
  }
};

/** A signup of the history, by what operators know of it. */
export interface PastSignup {
  readonly event_id: string;
  readonly user_id: string;
  readonly email: string;
  readonly trace_id: string;
}

const past = statement<PastSignup, [readonly number[]]>(`
  select event_id, id as user_id, email, substr(traceparent, 4, 32) as trace_id
  from json_array_elements_text($1::json) as number
    join users on users.email_key = ${sqlName("number")} || '@inbox.example' join events on events.subject = users.id::text`);

/** Signups anywhere in the history. */
export const samplePast = (db: Database, history: number, count: number): Promise<readonly PastSignup[]> =>
  past(
    db,
    Array.from({ length: count }, () => 1 + Math.floor(Math.random() * history)),
  );
