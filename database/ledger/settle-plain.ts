import { type Database, statement } from "../connection.ts";
import { MOST_STEPS } from "./timeline.ts";

/** The work is done, by the attempt that has this fence. */
export interface PlainSettlement {
  readonly event_id: string;
  readonly fence: number;
  readonly receipt: string | null;
  readonly reply: string | null;
}

/**
 * Records what nearly all outcomes are, at three quarters of what the statement for all of them costs. $1 settlements, $2 group, $3
 * consumer. Rows are found as `claim-plain.ts` finds them.
 */
const settle = statement<{ event_id: string }, [readonly PlainSettlement[], string, string]>(`
  with input as (
    select * from json_to_recordset($1::json) as row (event_id uuid, fence int, receipt text, reply text))
  update deliveries set
    state = 'done', attempts = attempts + 1, unanswered = 0, lease_until = null, next_try_at = null, reason = null,
    receipt = coalesce(input.receipt, deliveries.receipt), reply = coalesce(input.reply, deliveries.reply), updated_at = now(),
    timeline = timeline || jsonb_build_object('at', now(), 'state', 'done', 'by', $3::text, 'attempt', attempts + 1)
  from input
  where group_name = $2::text and deliveries.event_id = any(array(
      select locked.event_id from input cross join lateral (
        select event_id from deliveries where deliveries.event_id = input.event_id and group_name = $2::text
        limit 1 for update skip locked) as locked))
    and deliveries.event_id = input.event_id and deliveries.fence = input.fence
    and coalesce(state, '') = 'active' and jsonb_array_length(timeline) < ${MOST_STEPS}
  returning deliveries.event_id`);

/** Records those whose delivery is theirs; returns their event ids. Of the others it says nothing, and changes nothing. */
export const settlePlainDeliveries = async (
  db: Database,
  settlements: readonly PlainSettlement[],
  { group, consumer }: { readonly group: string; readonly consumer: string },
): Promise<ReadonlySet<string>> =>
  new Set(settlements.length === 0 ? [] : (await settle(db, settlements, group, consumer)).map((row) => row.event_id));
