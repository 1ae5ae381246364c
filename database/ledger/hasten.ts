import { type Database, statement } from "../connection.ts";
import { type LoggedEvent, SQL_LOGGED_EVENT } from "../events.ts";
import { withStep } from "./timeline.ts";

/** In the timeline: why a delivery is due before its time. */
const DUE_NOW = "due_now";

/**
 * $1 event ids, $2 group. Counters stay: it is the same attempt, earlier. `published_at` is set, since a new entry follows; the one that
 * waits in the retry set finds the delivery claimed or done, and is acked or waits on.
 */
const hasten = statement<LoggedEvent, [readonly string[], string]>(`
  with input as (
    select distinct value::uuid as event_id from json_array_elements_text($1::json)),
  locked as (
    select deliveries.event_id, state, next_try_at from deliveries join input using (event_id) where group_name = $2::text
    order by deliveries.event_id for update of deliveries),
  hastened as (
    update deliveries set next_try_at = null, published_at = now(), updated_at = now(),
      timeline = ${withStep("deliveries", { state: "deliveries.state", by: "'ops'", reason: `'${DUE_NOW}'` })}
    from locked
    where deliveries.group_name = $2::text and deliveries.event_id = locked.event_id
      and locked.state in ('queued', 'retrying', 'uncertain') and locked.next_try_at > now()
    returning deliveries.event_id)
  select ${SQL_LOGGED_EVENT} from hastened join events using (event_id)`);

/** Makes deliveries due now that wait for a retry, or for the delay of their group; returns the events of those, to be published. */
export const hastenDeliveries = (
  db: Database,
  eventIds: readonly string[],
  group: string,
): Promise<readonly LoggedEvent[]> => (eventIds.length === 0 ? Promise.resolve([]) : hasten(db, eventIds, group));
