import { type Database, statement } from "../connection.ts";
import type { DeliveryState } from "./states.ts";
import { withStep } from "./timeline.ts";

/** Reason of a delivery that an operator holds. */
export const HELD_BY_OPERATOR = "held_by_operator";

/** States in which a delivery can be held: nobody works on it. */
export const HOLDABLE_STATES = ["queued", "retrying", "uncertain"] as const satisfies DeliveryState[];

/**
 * $1 event ids, $2 group. What is in Redis stays there: whoever claims it finds that it is held, and acks the entry. Counters stay,
 * for the journey; a release resets them.
 */
const hold = statement<{ event_id: string }, [readonly string[], string]>(`
  with input as (
    select distinct value::uuid as event_id from json_array_elements_text($1::json)),
  locked as (
    select deliveries.event_id, state from deliveries join input using (event_id) where group_name = $2::text
    order by deliveries.event_id for update of deliveries)
  update deliveries set
    state = 'held', reason = '${HELD_BY_OPERATOR}', next_try_at = null, lease_until = null, updated_at = now(),
    timeline = ${withStep("deliveries", { state: "'held'", by: "'ops'", reason: `'${HELD_BY_OPERATOR}'` })}
  from locked
  where deliveries.group_name = $2::text and deliveries.event_id = locked.event_id
    and locked.state in (${HOLDABLE_STATES.map((state) => `'${state}'`).join(", ")})
  returning deliveries.event_id`);

/** Holds deliveries for an operator; returns the ids of those that are held by this call. */
export const holdDeliveries = async (
  db: Database,
  eventIds: readonly string[],
  group: string,
): Promise<readonly string[]> =>
  eventIds.length === 0 ? [] : (await hold(db, eventIds, group)).map((row) => row.event_id);
