import { type Database, statement } from "../connection.ts";
import { sqlLockTimeout } from "../lock-timeout.ts";
import { type ClaimedDelivery, type ClaimOptions, type ClaimRow, toClaimed, type WantedDelivery } from "./claim.ts";
import { firstStep } from "./timeline.ts";

/** An event of which the group has no delivery: written by hand, or older than the group. */
export interface UnknownEvent extends WantedDelivery {
  readonly type: string;
  readonly subject: string;
  readonly data: unknown;
  readonly traceparent: string;
  readonly tracestate: string | null;
}

export interface AdoptOptions extends Pick<ClaimOptions, "group" | "consumer" | "leaseMs" | "token"> {
  /** The group does its work once for each subject, whatever the event's id: a second event of one is `cancelled`. */
  readonly oncePerSubject: boolean;
}

/** Delay of a row that another consumer makes at the same moment. */
export const LOST_RACE_WAIT_MS = 250;
/** Longest wait for one. */
const LOCK_TIMEOUT_MS = 100;

/**
 * Makes event and delivery, and claims the delivery. $1 events, $2 group, $3 consumer, $4 lease ms, $5 once per subject, $6 token.
 * Made by this very claim before, whose answer was lost, a delivery is ours still, with a new lease. The work counts as done if the group has another delivery of this type and subject, neither cancelled nor dead.
 */
const adopt = statement<ClaimRow, [readonly UnknownEvent[], string, string, number, boolean, string]>(`
  with input as (
    select distinct on (event_id) * from json_to_recordset($1::json) as row (event_id uuid, lookup text, reason text,
      type text, subject text, data jsonb, traceparent text, tracestate text)
    where ${sqlLockTimeout(`${LOCK_TIMEOUT_MS}`)}
    order by event_id),
  judged as (
    select input.*, case
      when lookup <> 'ready' then reason
      when $5::boolean and (row_number() over (partition by type, subject order by event_id) > 1 or exists (
        select 1 from events join deliveries using (event_id)
        where events.subject = input.subject and events.type = input.type and events.event_id <> input.event_id
          and deliveries.group_name = $2::text and deliveries.state not in ('cancelled', 'dead'))) then 'done_before'
      end as obstacle
    from input),
  to_make as (
    select *, case when obstacle is null then 'active' when lookup = 'suppress' then 'suppressed' else 'cancelled' end
      as next_state
    from judged),
  made_events as (
    insert into events (event_id, type, subject, data, traceparent, tracestate)
    select event_id, type, subject, data, traceparent, tracestate from to_make order by event_id
    on conflict do nothing),
  made as (
    insert into deliveries (group_name, event_id, state, reason, fence, unanswered, lease_until, claim_token, timeline)
    select $2::text, event_id, next_state, obstacle, 1, 1,
      case when obstacle is null then now() + $4::float8 * interval '1 ms' end, $6::uuid,
      ${firstStep({ state: "next_state", by: "$3::text", reason: "obstacle" })}
    from to_make order by event_id
    on conflict (event_id, group_name) do update set lease_until = excluded.lease_until
      where deliveries.claim_token = excluded.claim_token and deliveries.state = 'active'
    returning *)
  select event_id, case when state = 'active' then 'take' else 'closed' end as verdict, state, reason, fence, attempts,
    system_failures, uncertain, unanswered, null as was, null::float8 as wait_ms, 0::float8 as age_ms, 0::float8 as unchanged_ms, false as is_replayed
  from made`);

/** Writes unknown events to log and ledger, each once, and claims them; one answer per event id. */
export const adoptEvents = async (
  db: Database,
  events: readonly UnknownEvent[],
  { group, consumer, leaseMs, oncePerSubject, token }: AdoptOptions,
): Promise<Map<string, ClaimedDelivery>> => {
  if (events.length === 0) return new Map();
  const rows = await adopt(db, events, group, consumer, leaseMs, oncePerSubject, token);
  const claimed = new Map(rows.map((row) => [row.event_id, toClaimed(row)]));
  for (const { event_id: eventId } of events) {
    if (!claimed.has(eventId)) claimed.set(eventId, { kind: "wait", eventId, delayMs: LOST_RACE_WAIT_MS });
  }
  return claimed;
};
