import { type Database, statement } from "../connection.ts";
import { type BoundGroup, type EventRow, type NewEvent, SQL_EVENT_ROW, sqlBindings, toEventRow } from "../events.ts";
import { firstStep } from "../ledger/timeline.ts";
import { sqlLockTimeout } from "../lock-timeout.ts";
import { SQL_USER } from "./signup-rows.ts";

/** A signup that another system has accepted: whom it is about, and the id that its event has here. */
export interface ForeignSignup {
  readonly eventId: string;
  /** `comparisonKey(email)` */
  readonly emailKey: string;
  /** `nameKey(user_name)` */
  readonly userNameKey: string;
}

/** What is known here of a signup of another system. */
export interface SignupFacts {
  readonly isImported: boolean;
  /** The event is about somebody with another address: the other system has used one id twice. */
  readonly isAnothers: boolean;
  readonly isNameTaken: boolean;
  /** undefined: nobody has the address. */
  readonly user: { readonly userId: string; readonly locale: string } | undefined;
  /** Whether the group has another event of this type about the user, neither cancelled nor dead. */
  readonly isHandled: boolean;
}

interface FactsRow {
  readonly event_id: string;
  readonly email_key: string;
  readonly is_anothers: boolean;
  readonly is_imported: boolean;
  readonly is_name_taken: boolean;
  readonly user_id: string | null;
  readonly locale: string | null;
  readonly is_handled: boolean;
}

const look = statement<FactsRow, [readonly object[], string, string]>(`
  select input.event_id, input.email_key, users.id as user_id, users.locale,
    exists (
      select 1 from events join users as person
        on person.id = case when events.subject ~ '^[0-9a-f-]{36}$' then events.subject::uuid end
      where events.event_id = input.event_id and person.email_key <> input.email_key) as is_anothers,
    exists (select 1 from events where events.event_id = input.event_id) as is_imported,
    exists (select 1 from users where users.user_name_key = input.user_name_key) as is_name_taken,
    users.id is not null and exists (
      select 1 from events join deliveries using (event_id)
      where events.subject = users.id::text and events.type = $2::text and events.event_id <> input.event_id
        and deliveries.group_name = $3::text and deliveries.state not in ('cancelled', 'dead')) as is_handled
  from json_to_recordset($1::json) as input (event_id uuid, email_key text, user_name_key text)
  left join users on users.email_key = input.email_key`);

/** Looks signups of another system up. One id may be that of several, which are about others. */
export const findSignupFacts = async (
  db: Database,
  signups: readonly ForeignSignup[],
  { type, group }: { readonly type: string; readonly group: string },
): Promise<(signup: ForeignSignup) => SignupFacts | undefined> => {
  if (signups.length === 0) return () => undefined;
  const rows = signups.map(({ eventId, emailKey, userNameKey }) => ({
    event_id: eventId,
    email_key: emailKey,
    user_name_key: userNameKey,
  }));
  const nameOf = (eventId: string, emailKey: string) => `${eventId} ${emailKey}`;
  const facts = new Map(
    (await look(db, rows, type, group)).map((row) => [
      nameOf(row.event_id, row.email_key),
      {
        isImported: row.is_imported,
        isAnothers: row.is_anothers,
        isNameTaken: row.is_name_taken,
        user: row.user_id === null ? undefined : { userId: row.user_id, locale: row.locale ?? "" },
        isHandled: row.is_handled,
      },
    ]),
  );
  return ({ eventId, emailKey }) => facts.get(nameOf(eventId, emailKey));
};

/** A user who is made, whose password nobody knows. */
export interface ImportedUser {
  readonly userName: string;
  readonly userNameKey: string;
  readonly email: string;
  readonly emailKey: string;
  readonly passwordHash: string;
  readonly locale: string;
}

/** How far the other system had come with the work of one group. */
export interface ImportedWork {
  readonly state: "queued" | "uncertain" | "held" | "done";
  readonly attempts: number;
  readonly reason: string | null;
  /** By what the other system knows it. */
  readonly receipt: string;
  /** No attempt before this time. */
  readonly dueAt: Date | null;
}

export interface ImportedSignup {
  readonly userId: string;
  readonly event: NewEvent;
  readonly work: ImportedWork;
  /** undefined: the user is there. */
  readonly makes: ImportedUser | undefined;
}

interface ImportRow extends EventRow {
  readonly user_id: string;
  readonly makes_user: boolean;
  readonly user_name: string | null;
  readonly user_name_key: string | null;
  readonly email: string | null;
  readonly email_key: string | null;
  readonly password_hash: string | null;
  readonly locale: string | null;
  readonly state: string;
  readonly attempts: number;
  readonly work_reason: string | null;
  readonly receipt: string;
  readonly due_at: string | null;
}

/** Longest wait for a row that a signup has locked, in ms. */
const LOCK_TIMEOUT_MS = 2_000;

const toRow = ({ userId, event, work, makes }: ImportedSignup): ImportRow => ({
  user_id: userId,
  ...toEventRow(event),
  makes_user: makes !== undefined,
  user_name: makes?.userName ?? null,
  user_name_key: makes?.userNameKey ?? null,
  email: makes?.email ?? null,
  email_key: makes?.emailKey ?? null,
  password_hash: makes?.passwordHash ?? null,
  locale: makes?.locale ?? null,
  state: work.state,
  attempts: work.attempts,
  work_reason: work.reason,
  receipt: work.receipt,
  due_at: work.dueAt?.toISOString() ?? null,
});

/**
 * $1 rows, $2 the group whose work the other system had begun, $3 who imports. Like a signup: user, event, a delivery for each group
 * that binds to it, and outbox row, or nothing. `planned` has the deliveries; the work of other groups begins as after a signup.
 */
const write = (bindings: readonly BoundGroup[]) =>
  statement<{ event_id: string }, [readonly ImportRow[], string, string]>(`
  with input as (
    select * from json_to_recordset($1::json) as row (
      user_id uuid, makes_user boolean, user_name text, user_name_key text, email text, email_key text, password_hash text,
      locale text, ${SQL_EVENT_ROW}, state text, attempts int, work_reason text, receipt text, due_at timestamptz)
    where ${sqlLockTimeout(`${LOCK_TIMEOUT_MS}`)}),
  new_users as (
    insert into users (id, user_name, user_name_key, email, email_key, password_hash, locale)
    select ${SQL_USER} from input where makes_user order by email_key
    on conflict do nothing
    returning id),
  new_events as (
    insert into events (event_id, type, subject, data, traceparent, tracestate)
    select event_id, type, subject, data, traceparent, tracestate from input
    where not makes_user or user_id in (select id from new_users)
    order by event_id
    on conflict do nothing
    returning event_id),
  planned as (
    select bound.group_name, input.event_id, is_theirs,
      case when is_theirs then input.state else 'queued' end as state,
      case when not is_theirs then now() + bound.delay_ms * interval '1 ms'
        when input.state in ('queued', 'uncertain') and due_at > now() then due_at end as next_try_at,
      input.attempts, input.work_reason, input.receipt
    from input join new_events using (event_id)
    join (${sqlBindings(bindings)}) as bound (type, group_name, delay_ms) using (type)
    cross join lateral (select bound.group_name = $2::text as is_theirs) as whose),
  new_deliveries as (
    insert into deliveries (group_name, event_id, state, attempts, uncertain, reason, receipt, next_try_at, published_at,
      queued_at, timeline)
    select group_name, event_id, state, case when is_theirs then attempts else 0 end, (state = 'uncertain')::int,
      case when is_theirs then work_reason end, case when state = 'done' then receipt end, next_try_at,
      greatest(now(), next_try_at), case when is_theirs then greatest(now(), next_try_at) else now() end,
      ${firstStep({ state: "state", by: "$3::text", reason: "case when is_theirs then work_reason end" })}
    from planned),
  new_outbox as (
    insert into outbox (event_id) select event_id from new_events)
  select event_id from new_events`);

/** Writes signups of another system; the event ids of those that were not left out because a name, an address or the event is there. */
export type WriteImports = (db: Database, signups: readonly ImportedSignup[]) => Promise<ReadonlySet<string>>;

export const createImportWriter = (
  bindings: readonly BoundGroup[],
  { group, by }: { readonly group: string; readonly by: string },
): WriteImports => {
  const run = write(bindings);
  return async (db, signups) =>
    signups.length === 0
      ? new Set()
      : new Set((await run(db, signups.map(toRow), group, by)).map((row) => row.event_id));
};
