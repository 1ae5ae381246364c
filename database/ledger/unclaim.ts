import { type Database, statement } from "../connection.ts";
import { withStep } from "./timeline.ts";

/** $1 event ids, $2 group, $3 consumer, $4 token of the claim, $5 reason. */
const unclaim = statement<{ event_id: string }, [readonly string[], string, string, string, string]>(`
  with input as (
    select distinct value::uuid as event_id from json_array_elements_text($1::json)),
  locked as (
    select deliveries.event_id from deliveries join input using (event_id)
    where group_name = $2::text and state = 'active' and claim_token = $4::uuid
    order by deliveries.event_id for update of deliveries skip locked)
  update deliveries set
    state = 'queued', lease_until = null, fence = deliveries.fence + 1,
    unanswered = greatest(deliveries.unanswered - 1, 0), published_at = now(), updated_at = now(),
    timeline = ${withStep("deliveries", { state: "'queued'", by: "$3::text", reason: "$5::text" })}
  from locked where deliveries.group_name = $2::text and deliveries.event_id = locked.event_id
  returning deliveries.event_id`);

/**
 * Undoes a claim of which the answer was lost and nobody waits for any more, where it took place: no work has begun under it.
 * So the next claim finds the deliveries `queued`, and not as an attempt that was cut off.
 */
export const unclaimDeliveries = async (
  db: Database,
  eventIds: readonly string[],
  options: { readonly group: string; readonly consumer: string; readonly token: string; readonly reason: string },
): Promise<void> => {
  await unclaim(db, eventIds, options.group, options.consumer, options.token, options.reason);
};
