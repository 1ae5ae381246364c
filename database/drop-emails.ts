import { type Database, statement } from "./connection.ts";
import type { EmailState } from "./email-state.ts";

/** Why a mail that an operator gave up is dead. */
export const DROPPED = "dropped_by_operator";

/**
 * $1 event ids, $2 template, $3 the state that it must be in. A mail that was dead keeps its own reason: that is what it
 * died of; the step in the timeline says who gave it up.
 */
const drop = statement<{ event_id: string }, [readonly string[], string, EmailState]>(`
  with input as (
    select distinct value::uuid as event_id from json_array_elements_text($1::json)),
  locked as (
    select emails.event_id, state from emails join input using (event_id) where template = $2::text
    order by emails.event_id for update of emails)
  update emails set
    state = 'dead', updated_at = now(), next_try_at = null, lease_until = null,
    reason = case when locked.state = 'dead' then emails.reason else '${DROPPED}' end,
    timeline = (case when jsonb_array_length(timeline) > 49 then timeline - 0 else timeline end)
      || jsonb_build_array(jsonb_build_object('at', now(), 'state', 'dead', 'by', 'ops', 'reason', '${DROPPED}'))
  from locked where emails.event_id = locked.event_id and locked.state = $3::text
  returning emails.event_id`);

/** Gives mails up for good; returns the ids of those that were in the state asked for, and are `dead` now. */
export const dropEmails = async (
  db: Database,
  eventIds: readonly string[],
  options: { readonly template: string; readonly from: "dead" | "held" },
): Promise<readonly string[]> =>
  eventIds.length === 0 ? [] : (await drop(db, eventIds, options.template, options.from)).map((row) => row.event_id);
