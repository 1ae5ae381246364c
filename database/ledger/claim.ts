import { type Database, statement } from "../connection.ts";
import { restOf } from "../errors.ts";
import { SQL_IS_LEASED } from "../set-back.ts";
import { claimPlainDeliveries, type PlainClaim } from "./claim-plain.ts";
import { RELEASED } from "./requeue.ts";
import type { DeliveryState } from "./states.ts";
import { SQL_FINAL } from "./states.ts";
import { SQL_IS_REPLAYED, withStep } from "./timeline.ts";

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
  /** The clock of the process that claims, in ms since 1970: what Postgres' clock alone takes for expired is not. */
  readonly wallClockMs: number;
  /** Whether the work is idempotent: then a lease that ran out makes nothing uncertain. */
  readonly isIdempotent: boolean;
  /**
   * Policy for a delivery of which it is unknown whether its effect took place. `ask`: it is left as it is, `doubtful`, for the
   * caller to find out and to claim it again.
   */
  readonly uncertain: WhenUncertain | "ask";
  /** UUID of this claim: repeated because its answer was lost, it is recognised, and counts once. */
  readonly token: string;
}

/** What becomes of a delivery of which it is unknown whether its effect took place. */
export type WhenUncertain = "resend" | "hold";

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
  /** It would be expired by Postgres' clock alone, which is so much ahead of the process', in ms. */
  readonly clockAheadMs?: number | undefined;
  /** Since the delivery was made, in ms of Postgres' clock, when it was claimed. */
  readonly ageMs: number;
  /** An operator made it, from the log: the delay of the group did not apply. */
  readonly isReplayed: boolean;
  /** It was held, and an operator has released it: this is its first attempt since. */
  readonly isReleased: boolean;
  /** The lease of its last owner ran out. */
  readonly tookOver: boolean;
  /** Reason of its last outcome, and since when it has that, in ms of Postgres' clock, when it was claimed. */
  readonly lastReason: string | null;
  readonly unchangedMs: number;
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
  /** It is unknown whether its effect took place, and the claim was to ask. It is unchanged. */
  | { readonly kind: "doubtful"; readonly eventId: string }
  /** Another consumer holds it, its row is locked, or its next attempt is not due, for this time, in ms. */
  | { readonly kind: "wait"; readonly eventId: string; readonly delayMs: number };

/** One answer of the ledger about a claim; `adopt.ts` answers in the same shape. */
export interface ClaimRow {
  readonly event_id: string;
  readonly verdict:
    | "take"
    | "expire"
    | "hold"
    | "ask"
    | "cancel"
    | "suppress"
    | "closed"
    | "leased"
    | "not-due"
    | "locked";
  readonly state: DeliveryState;
  readonly reason: string | null;
  readonly fence: number;
  readonly attempts: number;
  readonly system_failures: number;
  readonly uncertain: number;
  readonly unanswered: number;
  /** Its state before; null if it was ours already: then an earlier owner is seen by `unanswered`. */
  readonly was: DeliveryState | null;
  readonly wait_ms: number | null;
  readonly age_ms: number;
  /** Since the row was changed before this claim. */
  readonly unchanged_ms: number;
  readonly clock_ahead_ms?: number | null;
  readonly is_replayed: boolean;
}

/** Whether a delivery has waited longer than it may, by the time `now`. */
const sqlIsOlder = (now: string): string => `queued_at < ${now} - $5::float8 * interval '1 ms'`;

/**
 * Claims whatever `claim-plain.ts` does not, in one statement. $1 wanted, $2 group, $3 consumer, $4 lease ms, $5 expire ms or null, $6 policy,
 * $7 whether the group's effect is idempotent, $8 token, $9 the process' clock, ms since 1970.
 *
 * `locked` locks the rows in the order of their key, and leaves out those that somebody else has locked: the batch does not
 * wait for them. It looks each up by the index: Postgres expects a hundred rows of any JSON, and joined would read all of the
 * table; so does the last part, which tells what is locked from what is unknown. `decided` computes the verdict on each locked
 * row; `updated` writes it, and finds it by an array of keys, or a plan made while the ledger is empty would read all of it. A row that is active under this token was claimed by the same statement before, whose answer was
 * lost: its lease begins anew, and nothing is counted.
 */
const claim = statement<
  ClaimRow,
  [readonly WantedDelivery[], string, string, number, number | null, string, boolean, string, number]
>(`
  with input as (
    select distinct on (event_id) * from json_to_recordset($1::json) as row (event_id uuid, lookup text, reason text)
    order by event_id),
  locked as (
    select current.*, input.lookup, input.reason as lookup_reason,
      state = 'active' and coalesce(claim_token = $8::uuid, false) as is_ours
    from input cross join lateral (
      select * from deliveries where deliveries.event_id = input.event_id and group_name = $2::text
      limit 1 for update skip locked) as current),
  decided as (
    select locked.*, case
      when state in (${SQL_FINAL}, 'held') then 'closed'
      when ${SQL_IS_LEASED} and not is_ours then 'leased'
      when next_try_at > now() then 'not-due'
      when lookup <> 'ready' then lookup
      when ${sqlIsOlder("least(now(), to_timestamp($9::float8 / 1000))")} then 'expire'
      when state in ('active', 'uncertain') and not is_ours and $6::text <> 'resend' and not $7::boolean then $6::text
      else 'take' end as verdict
    from locked),
  updated as (
    update deliveries set
      state = next_state,
      reason = case verdict when 'hold' then 'uncertain' when 'take' then deliveries.reason
        when 'expire' then deliveries.reason else decided.lookup_reason end,
      fence = deliveries.fence + (not is_ours)::int,
      unanswered = deliveries.unanswered + (not is_ours)::int,
      reconciled = 0,
      lease_until = case when verdict in ('take', 'expire') then now() + $4::float8 * interval '1 ms' end,
      claim_token = $8::uuid,
      next_try_at = null,
      uncertain = deliveries.uncertain + (decided.state = 'active' and not is_ours and not $7::boolean)::int,
      updated_at = now(),
      timeline = case when is_ours and next_state = 'active' then deliveries.timeline else ${withStep("decided", {
        state: "next_state",
        by: "$3::text",
        attempt: "case when next_state = 'active' then deliveries.attempts + 1 end",
        reason: "case when next_state <> 'active' then decided.lookup_reason end",
      })} end
    from (
      select event_id, state, lookup_reason, verdict, is_ours, updated_at as changed_at,
        case when state = 'active' and not is_ours then ${withStep("decided", {
          state: "case when $7::boolean then 'queued' else 'uncertain' end",
          by: "$3::text",
          reason: "'lease_ran_out'",
          claim: "decided.claim_token",
        })} else timeline end as timeline,
        case verdict when 'cancel' then 'cancelled' when 'hold' then 'held' when 'suppress' then 'suppressed'
          else 'active' end as next_state
      from decided where verdict in ('take', 'expire', 'hold', 'cancel', 'suppress')) as decided
    where deliveries.group_name = $2::text and deliveries.event_id = any(array(select event_id from locked))
      and deliveries.event_id = decided.event_id
    returning deliveries.*, case when not is_ours then decided.state end as was, verdict, changed_at)
  select event_id, verdict, state, reason, fence, attempts, system_failures, uncertain, unanswered,
    was, null::float8 as wait_ms, extract(epoch from now() - created_at)::float8 * 1000 as age_ms,
    extract(epoch from now() - changed_at)::float8 * 1000 as unchanged_ms,
    case when verdict = 'take' and ${sqlIsOlder("now()")}
      then extract(epoch from now())::float8 * 1000 - $9::float8 end as clock_ahead_ms, ${SQL_IS_REPLAYED} as is_replayed
  from updated
  union all
  select event_id, verdict, state, reason, fence, attempts, system_failures, uncertain, unanswered, state,
    extract(epoch from (case verdict when 'leased' then lease_until else next_try_at end) - now())::float8 * 1000,
    extract(epoch from now() - created_at)::float8 * 1000, 0, null, ${SQL_IS_REPLAYED}
  from decided where verdict in ('closed', 'leased', 'not-due', 'ask')
  union all
  select event_id, 'locked', 'queued', null, 0, 0, 0, 0, 0, null, null, 0, 0, null, false
  from input cross join lateral (
    select 1 from deliveries where deliveries.event_id = input.event_id and group_name = $2::text limit 1) as known
  where event_id not in (select event_id from locked)`);

/** Rounds up, to at least 1 ms: an entry that is due slightly too early would be delayed again and again. */
const MIN_WAIT_MS = 50;
/** Delay of a delivery whose row somebody else has locked: another claim for a moment, or an operator for minutes. */
const LOCKED_WAIT_MS = 250;

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
        clockAheadMs: row.clock_ahead_ms ?? undefined,
        ageMs: row.age_ms,
        isReplayed: row.is_replayed,
        isReleased: row.reason === RELEASED,
        tookOver: row.was === null ? row.unanswered > 1 : row.was === "active",
        lastReason: row.reason,
        unchangedMs: row.unchanged_ms,
      };
    case "hold":
    case "cancel":
    case "suppress":
    case "closed":
      return { kind: "closed", eventId, state: row.state, reason: row.reason, attempts: row.attempts };
    case "ask":
      return { kind: "doubtful", eventId };
    case "locked":
      return { kind: "wait", eventId, delayMs: LOCKED_WAIT_MS };
    case "leased":
    case "not-due":
      return { kind: "wait", eventId, delayMs: Math.max(MIN_WAIT_MS, Math.ceil(row.wait_ms ?? 0)) };
  }
};

const ofPlain = (claimed: PlainClaim): ClaimRow => ({
  ...claimed,
  ...{ verdict: "take", state: "active", was: "queued", reason: null, wait_ms: null, unchanged_ms: 0 },
});

/**
 * Claims the deliveries of a batch of events, exclusively until the lease runs out. One answer per event id of which the
 * group has a delivery; for the others see `adoptEvents`. First attempts have a statement of their own, the rest another.
 *
 * @throws {PartlyDone} when first attempts are claimed, and the others are not
 */
export const claimDeliveries = async (
  db: Database,
  wanted: readonly WantedDelivery[],
  { group, consumer, leaseMs, expireAfterMs, wallClockMs, isIdempotent, uncertain, token }: ClaimOptions,
): Promise<Map<string, ClaimedDelivery>> => {
  const ready = wanted.flatMap(({ event_id, lookup }) => (lookup === "ready" ? [event_id] : []));
  const plain = await claimPlainDeliveries(db, ready, { group, consumer, leaseMs, expireAfterMs, token });
  const claimed = new Map(plain.map((row) => [row.event_id, toClaimed(ofPlain(row))]));
  const left = wanted.filter(({ event_id }) => !claimed.has(event_id));
  if (left.length === 0) return claimed;
  const expireMs = expireAfterMs ?? null;
  const rest = () => claim(db, left, group, consumer, leaseMs, expireMs, uncertain, isIdempotent, token, wallClockMs);
  const rows = await (plain.length === 0 ? rest() : restOf(rest));
  for (const row of rows) claimed.set(row.event_id, toClaimed(row));
  return claimed;
};
