import { statement } from "../connection.ts";
import type { DeliveryState } from "./states.ts";
import { withStep } from "./timeline.ts";

/** States in which nobody works on a delivery, and nobody has given it up. */
export const WAITING_STATES = ["queued", "retrying", "uncertain"] as const satisfies DeliveryState[];

/**
 * A statement by which an operator takes deliveries out of the work: $1 event ids, $2 group; of those, the ones that are in a state
 * of `from` alone. The timeline records it, with the reason. Returns their event ids.
 */
export const takeOut = (
  to: { readonly state: DeliveryState; readonly reason: string },
  from: readonly DeliveryState[],
) =>
  statement<{ event_id: string }, [readonly string[], string]>(`
  with input as (
    select distinct value::uuid as event_id from json_array_elements_text($1::json)),
  locked as (
    select deliveries.event_id, state from deliveries join input using (event_id) where group_name = $2::text
    order by deliveries.event_id for update of deliveries)
  update deliveries set
    state = '${to.state}', reason = '${to.reason}', next_try_at = null, lease_until = null, updated_at = now(),
    timeline = ${withStep("deliveries", { state: `'${to.state}'`, by: "'ops'", reason: `'${to.reason}'` })}
  from locked
  where deliveries.group_name = $2::text and deliveries.event_id = locked.event_id
    and locked.state in (${from.map((state) => `'${state}'`).join(", ")})
  returning deliveries.event_id`);
