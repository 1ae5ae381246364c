import { type Database, statement } from "./connection.ts";
import type { EmailState } from "./email-state.ts";

/** An event whose mail a consumer wants to send. */
export interface WantedEmail {
  readonly event_id: string;
  readonly user_id: string;
  readonly locale: string;
  readonly traceparent: string;
  readonly tracestate: string | null;
}

export interface ClaimOptions {
  readonly template: string;
  /** Who claims, for the timeline. */
  readonly consumer: string;
  readonly leaseMs: number;
  readonly expireAfterMs: number;
  /** What to do with a mail of which nobody knows whether it went out. */
  readonly uncertain: "resend" | "hold";
}

/** A mail that this consumer, and nobody else, may send now. */
export interface TakenEmail {
  readonly kind: "taken";
  readonly eventId: string;
  readonly userId: string;
  readonly locale: string;
  readonly userName: string;
  readonly email: string;
  /** Token of this claim: writes under a lower one have no effect. */
  readonly fence: number;
  readonly attempts: number;
  readonly systemFailures: number;
  readonly uncertain: number;
  /** It may have been sent before: the guard of last resort is asked first. */
  readonly mayBeSent: boolean;
  /** Too old to be sent: to be closed under this fence. */
  readonly expired: boolean;
  /** Since the signup was committed, in ms of Postgres' clock, when it was claimed. */
  readonly ageMs: number;
  /** Its last sender died with it: its lease ran out. */
  readonly tookOver: boolean;
}

export type ClaimedEmail =
  | TakenEmail
  /** Final, or held for an operator: complete the move that its last owner may have left undone. */
  | {
      readonly kind: "closed";
      readonly eventId: string;
      readonly state: EmailState;
      readonly reason: string | null;
      readonly attempts: number;
    }
  /** Another consumer holds it, or its next try is not due: wait so long, in ms. */
  | { readonly kind: "wait"; readonly eventId: string; readonly delayMs: number };

interface ClaimRow {
  readonly event_id: string;
  readonly user_id: string;
  readonly locale: string;
  readonly user_name: string | null;
  readonly email: string | null;
  readonly verdict: "take" | "expire" | "hold" | "cancel" | "suppress" | "closed" | "leased" | "not-due";
  readonly state: EmailState;
  readonly reason: string | null;
  readonly fence: number;
  readonly attempts: number;
  readonly system_failures: number;
  readonly uncertain: number;
  readonly was: EmailState | null;
  readonly wait_ms: number | null;
  readonly age_ms: number;
}

/**
 * Claims a batch in one statement. $1 wanted, $2 template, $3 consumer, $4 lease ms, $5 expire ms, $6 policy.
 *
 * `locked` takes the rows in the order of their ids, so that batches wait for each other rather than deadlock; `decided`
 * says, of the row as it is under the lock, what happens to it; `updated` does it. An event without a row (its user was
 * made by hand, or the ledger was restored from an older backup) gets one, unless its user was welcomed already or is gone.
 */
const claim = statement<ClaimRow, [readonly WantedEmail[], string, string, number, number, string]>(`
  with input as (
    select distinct on (event_id) * from json_to_recordset($1::json) as row (
      event_id uuid, user_id uuid, locale text, traceparent text, tracestate text)
    order by event_id),
  locked as (
    select emails.*, users.id as found_user, users.user_name, users.email,
      exists (select 1 from suppressions where suppressions.email_key = users.email_key) as is_suppressed
    from emails join input using (event_id) left join users on users.id = emails.user_id
    order by emails.event_id for update of emails),
  decided as (
    select locked.*, case
      when state in ('sent', 'dead', 'suppressed', 'cancelled', 'held') then 'closed'
      when state = 'sending' and lease_until > now() then 'leased'
      when state in ('retrying', 'uncertain') and next_try_at > now() then 'not-due'
      when found_user is null then 'cancel'
      when is_suppressed then 'suppress'
      when queued_at < now() - $5::float8 * interval '1 ms' then 'expire'
      when state in ('sending', 'uncertain') and $6::text = 'hold' then 'hold'
      else 'take' end as verdict
    from locked),
  updated as (
    update emails set
      state = next_state,
      reason = case verdict when 'cancel' then 'user_erased' when 'hold' then 'uncertain'
        when 'suppress' then 'address_suppressed' else emails.reason end,
      fence = emails.fence + 1,
      lease_until = case when verdict in ('take', 'expire') then now() + $4::float8 * interval '1 ms' end,
      next_try_at = null,
      uncertain = emails.uncertain + (decided.state = 'sending')::int,
      updated_at = now(),
      timeline = (case when jsonb_array_length(emails.timeline) > 48 then emails.timeline - 0 - 0 else emails.timeline end)
        || case when decided.state = 'sending' then jsonb_build_array(jsonb_build_object(
          'at', now(), 'state', 'uncertain', 'by', $3::text, 'reason', 'lease_ran_out')) else '[]'::jsonb end
        || jsonb_build_array(jsonb_build_object(
          'at', now(), 'by', $3::text, 'attempt', emails.attempts + 1,
          'state', next_state))
    from (select *, case verdict when 'cancel' then 'cancelled' when 'hold' then 'held' when 'suppress' then 'suppressed'
      else 'sending' end as next_state from decided) as decided
    where emails.event_id = decided.event_id and verdict in ('take', 'expire', 'hold', 'cancel', 'suppress')
    returning emails.*, decided.state as was, verdict, decided.user_name, decided.email),
  missing as (
    select input.*, users.user_name, users.email, case
      when users.id is null then 'no_such_user'
      when exists (select 1 from emails where emails.user_id = input.user_id and template = $2::text
        and state not in ('cancelled', 'dead')) then 'already_welcomed'
      when row_number() over (partition by input.user_id order by input.event_id) > 1 then 'already_welcomed'
      when exists (select 1 from suppressions where suppressions.email_key = users.email_key) then 'address_suppressed'
      end as obstacle
    from input left join users on users.id = input.user_id
    where not exists (select 1 from emails where emails.event_id = input.event_id)),
  to_make as (
    select *, case when obstacle is null then 'sending' when obstacle = 'address_suppressed' then 'suppressed'
      else 'cancelled' end as next_state
    from missing),
  made as (
    insert into emails (event_id, user_id, template, locale, traceparent, tracestate, state, reason, fence, lease_until, timeline)
    select event_id, user_id, $2::text, locale, traceparent, tracestate, next_state, obstacle, 1,
      case when obstacle is null then now() + $4::float8 * interval '1 ms' end,
      jsonb_build_array(jsonb_strip_nulls(jsonb_build_object(
        'at', now(), 'by', $3::text, 'state', next_state, 'reason', obstacle)))
    from to_make
    order by event_id
    on conflict do nothing
    returning *)
  select event_id, user_id, locale, user_name, email, verdict, state, reason, fence, attempts, system_failures, uncertain,
    was, null::float8 as wait_ms, extract(epoch from now() - created_at)::float8 * 1000 as age_ms
  from updated
  union all
  select event_id, user_id, locale, user_name, email, verdict, state, reason, fence, attempts, system_failures, uncertain,
    state as was, extract(epoch from (case verdict when 'leased' then lease_until else next_try_at end) - now())::float8 * 1000,
    extract(epoch from now() - created_at)::float8 * 1000
  from decided where verdict in ('closed', 'leased', 'not-due')
  union all
  select event_id, user_id, locale, missing.user_name, missing.email,
    case when state = 'sending' then 'take' else 'closed' end, state, reason, fence, attempts, system_failures, uncertain,
    null, null, 0::float8
  from made join missing using (event_id, user_id, locale)`);

/** Rounds up, and never to nothing: an entry that came back a hair too early would turn in a circle. */
const MIN_WAIT_MS = 50;
/** A row that was made by somebody else in this very moment is looked at again soon. */
const LOST_RACE_WAIT_MS = 250;

const toClaimed = (row: ClaimRow): ClaimedEmail => {
  const eventId = row.event_id;
  switch (row.verdict) {
    case "take":
    case "expire":
      return {
        kind: "taken",
        eventId,
        userId: row.user_id,
        locale: row.locale,
        userName: row.user_name ?? "",
        email: row.email ?? "",
        fence: row.fence,
        attempts: row.attempts,
        systemFailures: row.system_failures,
        uncertain: row.uncertain,
        mayBeSent: row.uncertain > 0,
        expired: row.verdict === "expire",
        ageMs: row.age_ms,
        tookOver: row.was === "sending",
      };
    case "hold":
    case "cancel":
    case "suppress":
    case "closed":
      return { kind: "closed", eventId, state: row.state, reason: row.reason, attempts: row.attempts };
    case "leased":
    case "not-due":
      return { kind: "wait", eventId, delayMs: Math.max(MIN_WAIT_MS, Math.ceil(row.wait_ms ?? 0)) };
  }
};

/**
 * Claims the mails of a batch of events: what it takes is this consumer's alone until the lease runs out. One result per
 * distinct event id.
 */
export const claimEmails = async (
  db: Database,
  wanted: readonly WantedEmail[],
  options: ClaimOptions,
): Promise<Map<string, ClaimedEmail>> => {
  const { template, consumer, leaseMs, expireAfterMs, uncertain } = options;
  const rows = await claim(db, wanted, template, consumer, leaseMs, expireAfterMs, uncertain);
  const claimed = new Map(rows.map((row) => [row.event_id, toClaimed(row)]));
  for (const { event_id: eventId } of wanted) {
    if (!claimed.has(eventId)) claimed.set(eventId, { kind: "wait", eventId, delayMs: LOST_RACE_WAIT_MS });
  }
  return claimed;
};
