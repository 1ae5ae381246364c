import { type Database, statement } from "../connection.ts";
import { type LoggedEvent, SQL_LOGGED_EVENT } from "../events.ts";
import type { DeliveryState } from "./states.ts";
import { withStep } from "./timeline.ts";

/** A delivery that an operator queues again, with the event's row, from which its entry can be built. */
export interface RequeuedDelivery extends LoggedEvent {
  /** The state before the statement. */
  readonly was: DeliveryState;
  /** Whether this statement set it to `queued`. */
  readonly requeued: boolean;
}

/** Reason of a delivery that was held, and released by an operator, until its next outcome. */
export const RELEASED = "released";
/** Why a delivery is queued again, for its timeline. */
export type RequeueReason = "redriven" | typeof RELEASED | "replayed";

/**
 * $1 event ids, $2 group, $3 the state that it must be in, $4 reason for the timeline.
 *
 * Counters are reset, and so is the age for expiry. `uncertain` stays: it bounds the number of duplicates, and makes the next
 * attempt check for a note that the work is done.
 */
const requeue = statement<RequeuedDelivery, [readonly string[], string, DeliveryState, RequeueReason]>(`
  with input as (
    select distinct value::uuid as event_id from json_array_elements_text($1::json)),
  locked as (
    select deliveries.* from deliveries join input using (event_id) where group_name = $2::text
    order by deliveries.event_id for update of deliveries),
  requeued as (
    update deliveries set
      state = 'queued', reason = case when $4::text = '${RELEASED}' then '${RELEASED}' end,
      attempts = 0, system_failures = 0, reconciled = 0, next_try_at = null, lease_until = null,
      queued_at = now(), published_at = now(), updated_at = now(),
      timeline = ${withStep("deliveries", { state: "'queued'", by: "'ops'", reason: "$4::text" })}
    from locked
    where deliveries.group_name = $2::text and deliveries.event_id = locked.event_id and locked.state = $3::text
    returning deliveries.event_id)
  select ${SQL_LOGGED_EVENT}, locked.state as was,
    exists (select 1 from requeued where requeued.event_id = locked.event_id) as requeued
  from locked join events using (event_id)`);

/**
 * Sets deliveries to `queued`, once each: of two operators at the same time, one gets `requeued`. Event ids of which the
 * group has no delivery are missing in the answer.
 */
export const requeueDeliveries = (
  db: Database,
  eventIds: readonly string[],
  options: {
    readonly group: string;
    readonly from: "dead" | "held" | "done" | "suppressed";
    readonly reason: RequeueReason;
  },
): Promise<readonly RequeuedDelivery[]> =>
  eventIds.length === 0 ? Promise.resolve([]) : requeue(db, eventIds, options.group, options.from, options.reason);
