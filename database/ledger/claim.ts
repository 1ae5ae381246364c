import { type Database, statement } from "../connection.ts";
import type { DeliveryState } from "./states.ts";
import { SQL_FINAL } from "./states.ts";
import { withStep } from "./timeline.ts";

/** What the group's look-up found for one event, before it is claimed. */
export interface WantedDelivery {
  readonly event_id: string;
  readonly lookup: "ready" | "cancel" | "suppress";
  /** Why it is cancelled or suppressed. */
  readonly reason: string | null;
}

export interface ClaimOptions {
  readonly group: string;
  /** Who claims, for the timeline. */
  readonly consumer: string;
  readonly leaseMs: number;
  /** Age in ms after which a delivery is expired; undefined: never. */
  readonly expireAfterMs: number | undefined;
  /** Whether the work is idempotent: then a lease that ran out makes nothing uncertain. */
  readonly isIdempotent: boolean;
  /** Policy for a delivery of which it is unknown whether its effect took place. */
  readonly uncertain: "resend" | "hold";
}

/** A delivery that this consumer alone may work on now. */
export interface TakenDelivery {
  readonly kind: "taken";
  readonly eventId: string;
  /** Fencing token of this claim: writes under a lower one have no effect. */
  readonly fence: number;
  readonly attempts: number;
  readonly systemFailures: number;
  readonly uncertain: number;
  /** Claims since the last outcome, this one included: those before it ended with their consumers' deaths. */
  readonly unanswered: number;
  /** Too old: to be dead-lettered under this fence. */
  readonly isExpired: boolean;
  /** Since the delivery was made, in ms of Postgres' clock, when it was claimed. */
  readonly ageMs: number;
  /** An operator made it, from the log: the delay of the group did not apply. */
  readonly isReplayed: boolean;
  /** The lease of its last owner ran out. */
  readonly tookOver: boolean;
}

export type ClaimedDelivery =
  | TakenDelivery
  /** Final, or held for an operator: complete the move that its last owner may have left undone. */
  | {
      readonly kind: "closed";
      readonly eventId: string;
      readonly state: DeliveryState;
      readonly reason: string | null;
      readonly attempts: number;
    }
  /** Another consumer holds it, or its next attempt is not due for this time, in ms. */
  | { readonly kind: "wait"; readonly eventId: string; readonly delayMs: number };

/** One answer of the ledger about a claim; `adopt.ts` answers in the same shape. */
export interface ClaimRow {
  readonly event_id: string;
  readonly verdict: "take" | "expire" | "hold" | "cancel" | "suppress" | "closed" | "leased" | "not-due";
  readonly state: DeliveryState;
  readonly reason: string | null;
  readonly fence: number;
  readonly attempts: number;
  readonly system_failures: number;
  readonly uncertain: number;
  readonly unanswered: number;
  readonly was: DeliveryState | null;
  readonly wait_ms: number | null;
  readonly age_ms: number;
  readonly is_replayed: boolean;
}

/** By the first step, as `enlistEvents` writes it; false once a long timeline has lost it. */
const SQL_IS_REPLAYED = "timeline #>> '{0,reason}' is not distinct from 'replayed'";

/**
 * Claims a batch in one statement. $1 wanted, $2 group, $3 consumer, $4 lease ms, $5 expire ms or null, $6 policy,
 * $7 whether the group's effect is idempotent.
 *
 * `locked` locks the rows in the order of their key, so that batches wait for each other rather than deadlock. It looks each
 * up by the index: Postgres expects a hundred rows of any JSON, and joined would read all of a table that is small. `decided`
 * computes the verdict on each locked row; `updated` writes it.
 */
const claim = statement<ClaimRow, [readonly WantedDelivery[], string, string, number, number | null, string, boolean]>(`
  with input as (
    select distinct on (event_id) * from json_to_recordset($1::json) as row (event_id uuid, lookup text, reason text)
    order by event_id),
  locked as (
    select current.*, input.lookup, input.reason as lookup_reason
    from input cross join lateral (
      select * from deliveries where deliveries.event_id = input.event_id and group_name = $2::text
      limit 1 for update) as current),
  decided as (
    select locked.*, case
      when state in (${SQL_FINAL}, 'held') then 'closed'
      when state = 'active' and lease_until > now() then 'leased'
      when next_try_at > now() then 'not-due'
      when lookup <> 'ready' then lookup
      when queued_at < now() - $5::float8 * interval '1 ms' then 'expire'
      when state in ('active', 'uncertain') and $6::text = 'hold' and not $7::boolean then 'hold'
      else 'take' end as verdict
    from locked),
  updated as (
    update deliveries set
      state = next_state,
      reason = case verdict when 'hold' then 'uncertain' when 'take' then deliveries.reason
        when 'expire' then deliveries.reason else decided.lookup_reason end,
      fence = deliveries.fence + 1,
      unanswered = deliveries.unanswered + 1,
      reconciled = 0,
      lease_until = case when verdict in ('take', 'expire') then now() + $4::float8 * interval '1 ms' end,
      next_try_at = null,
      uncertain = deliveries.uncertain + (decided.state = 'active' and not $7::boolean)::int,
      updated_at = now(),
      timeline = ${withStep("decided", {
        state: "next_state",
        by: "$3::text",
        attempt: "case when next_state = 'active' then deliveries.attempts + 1 end",
        reason: "case when next_state <> 'active' then decided.lookup_reason end",
      })}
    from (
      select event_id, state, lookup_reason, verdict,
        case when state = 'active' then ${withStep("decided", {
          state: "case when $7::boolean then 'queued' else 'uncertain' end",
          by: "$3::text",
          reason: "'lease_ran_out'",
        })} else timeline end as timeline,
        case verdict when 'cancel' then 'cancelled' when 'hold' then 'held' when 'suppress' then 'suppressed'
          else 'active' end as next_state
      from decided where verdict in ('take', 'expire', 'hold', 'cancel', 'suppress')) as decided
    where deliveries.group_name = $2::text and deliveries.event_id = decided.event_id
    returning deliveries.*, decided.state as was, verdict)
  select event_id, verdict, state, reason, fence, attempts, system_failures, uncertain, unanswered,
    was, null::float8 as wait_ms, extract(epoch from now() - created_at)::float8 * 1000 as age_ms, ${SQL_IS_REPLAYED} as is_replayed
  from updated
  union all
  select event_id, verdict, state, reason, fence, attempts, system_failures, uncertain, unanswered, state,
    extract(epoch from (case verdict when 'leased' then lease_until else next_try_at end) - now())::float8 * 1000,
    extract(epoch from now() - created_at)::float8 * 1000, ${SQL_IS_REPLAYED}
  from decided where verdict in ('closed', 'leased', 'not-due')`);

/** Rounds up, to at least 1 ms: an entry that is due slightly too early would be delayed again and again. */
const MIN_WAIT_MS = 50;

/** Maps a row of the ledger's answer. */
export const toClaimed = (row: ClaimRow): ClaimedDelivery => {
  const eventId = row.event_id;
  switch (row.verdict) {
    case "take":
    case "expire":
      return {
        kind: "taken",
        eventId,
        fence: row.fence,
        attempts: row.attempts,
        systemFailures: row.system_failures,
        uncertain: row.uncertain,
        unanswered: row.unanswered,
        isExpired: row.verdict === "expire",
        ageMs: row.age_ms,
        isReplayed: row.is_replayed,
        tookOver: row.was === "active",
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
 * Claims the deliveries of a batch of events, exclusively until the lease runs out. One answer per event id of which the
 * group has a delivery; for the others see `adoptEvents`.
 */
export const claimDeliveries = async (
  db: Database,
  wanted: readonly WantedDelivery[],
  { group, consumer, leaseMs, expireAfterMs, isIdempotent, uncertain }: ClaimOptions,
): Promise<Map<string, ClaimedDelivery>> => {
  const rows = await claim(db, wanted, group, consumer, leaseMs, expireAfterMs ?? null, uncertain, isIdempotent);
  return new Map(rows.map((row) => [row.event_id, toClaimed(row)]));
};
