import { type Database, statement } from "../connection.ts";

/**
 * $1 event ids, $2 group. Nothing else changes: it is the same wait, shorter. What somebody else has locked is left out; it is due
 * as before.
 */
const hasten = statement<Record<string, never>, [readonly string[], string]>(`
  update deliveries set next_try_at = now()
  where group_name = $2::text and event_id = any(array(
      select locked.event_id from json_array_elements_text($1::json) as wanted (event_id) cross join lateral (
        select event_id from deliveries where deliveries.event_id = wanted.event_id::uuid and group_name = $2::text
        limit 1 for update skip locked) as locked))
    and coalesce(state, '') = 'retrying' and next_try_at > now()`);

/** Makes deliveries due now that wait for their next attempt; their entries are to follow. */
export const hastenDeclined = async (db: Database, group: string, eventIds: readonly string[]): Promise<void> => {
  if (eventIds.length > 0) await hasten(db, eventIds, group);
};
