import { type Database, statement } from "../connection.ts";

/** $1 event ids, $2 group. A row that somebody else has locked is being claimed, or settled: it needs no note. */
const note = statement<never, [readonly string[], string]>(`
  with input as (
    select distinct value::uuid as event_id from json_array_elements_text($1::json)),
  locked as (
    select deliveries.event_id from deliveries join input using (event_id)
    where group_name = $2::text and state in ('queued', 'retrying', 'uncertain')
    order by deliveries.event_id for update of deliveries skip locked)
  update deliveries set published_at = greatest(published_at, now())
  from locked where deliveries.group_name = $2::text and deliveries.event_id = locked.event_id`);

/** Notes that the entries of deliveries are put behind others, unattempted: else they would look lost once those are read. */
export const noteRequeued = async (db: Database, group: string, eventIds: readonly string[]): Promise<void> => {
  if (eventIds.length > 0) await note(db, eventIds, group);
};
