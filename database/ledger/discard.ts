import { type Database, statement } from "../connection.ts";
import type { DeliveryState } from "./states.ts";
import { withStep } from "./timeline.ts";

/** Reason of a delivery that an operator has discarded. */
export const DISCARDED = "dropped_by_operator";

/**
 * $1 event ids, $2 group, $3 the state that it must be in. A delivery that was dead keeps its
 * reason; the step in the timeline records who discarded it.
 */
const discard = statement<{ event_id: string }, [readonly string[], string, DeliveryState]>(`
  with input as (
    select distinct value::uuid as event_id from json_array_elements_text($1::json)),
  locked as (
    select deliveries.event_id, state from deliveries join input using (event_id) where group_name = $2::text
    order by deliveries.event_id for update of deliveries)
  update deliveries set
    state = 'dead', updated_at = now(), next_try_at = null, lease_until = null,
    reason = case when locked.state = 'dead' then deliveries.reason else '${DISCARDED}' end,
    timeline = ${withStep("deliveries", { state: "'dead'", by: "'ops'", reason: `'${DISCARDED}'` })}
  from locked
  where deliveries.group_name = $2::text and deliveries.event_id = locked.event_id and locked.state = $3::text
  returning deliveries.event_id`);

/** Discards deliveries; returns the ids of those that were in the state `from` and are now `dead`. */
export const discardDeliveries = async (
  db: Database,
  eventIds: readonly string[],
  options: { readonly group: string; readonly from: "dead" | "held" },
): Promise<readonly string[]> =>
  eventIds.length === 0 ? [] : (await discard(db, eventIds, options.group, options.from)).map((row) => row.event_id);
