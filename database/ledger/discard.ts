import { type Database, statement } from "../connection.ts";
import { withStep } from "./timeline.ts";

/** Reason of a delivery that an operator has discarded. */
export const DISCARDED = "dropped_by_operator";

/** States in which an operator may discard a delivery. `waiting`: nobody works on it, and nobody has given it up. */
const SQL_FROM = {
  dead: "'dead'",
  held: "'held'",
  waiting: "'queued', 'retrying', 'uncertain'",
} as const;

/**
 * $1 event ids, $2 group, those in `states` alone. The timeline has the reason for which it was dead before, and
 * records who discarded it.
 */
const discardFrom = (states: string) =>
  statement<{ event_id: string }, [readonly string[], string]>(`
  with input as (
    select distinct value::uuid as event_id from json_array_elements_text($1::json)),
  locked as (
    select deliveries.event_id, state from deliveries join input using (event_id) where group_name = $2::text
    order by deliveries.event_id for update of deliveries)
  update deliveries set
    state = 'dead', updated_at = now(), next_try_at = null, lease_until = null,
    reason = '${DISCARDED}',
    timeline = ${withStep("deliveries", { state: "'dead'", by: "'ops'", reason: `'${DISCARDED}'` })}
  from locked
  where deliveries.group_name = $2::text and deliveries.event_id = locked.event_id and locked.state in (${states})
  returning deliveries.event_id`);

const DISCARDS = {
  dead: discardFrom(SQL_FROM.dead),
  held: discardFrom(SQL_FROM.held),
  waiting: discardFrom(SQL_FROM.waiting),
};

/** Discards deliveries; returns the ids of those that were in the state `from` and are now `dead`. */
export const discardDeliveries = async (
  db: Database,
  eventIds: readonly string[],
  { group, from }: { readonly group: string; readonly from: keyof typeof SQL_FROM },
): Promise<readonly string[]> =>
  eventIds.length === 0 ? [] : (await DISCARDS[from](db, eventIds, group)).map((row) => row.event_id);
