import { type Database, statement } from "../connection.ts";
import { sqlLockTimeout } from "../lock-timeout.ts";
import { SQL_IS_LEASED } from "../set-back.ts";
import { SQL_UNFINISHED } from "./states.ts";
import { withStep } from "./timeline.ts";

/** An event, as its entry has it, that a group cannot read or does not bind to. */
export interface UnreadableEvent {
  readonly event_id: string;
  readonly type: string;
  readonly data: unknown;
}

/** Longest wait for a row that somebody else has locked; the consumer comes again. */
const LOCK_TIMEOUT_MS = 100;

/**
 * $1 event, $2 group, $3 consumer, $4 reason. Only what the log itself has is refused: an entry made by hand may carry the
 * id of a sound event. A delivery that another consumer holds is left alone: it can read what this one cannot.
 */
const refuse = statement<{ event_id: string }, [readonly UnreadableEvent[], string, string, string]>(`
  with input as (
    select * from json_to_recordset($1::json) as row (event_id uuid, type text, data jsonb)
    where ${sqlLockTimeout(`${LOCK_TIMEOUT_MS}`)}),
  locked as (
    select deliveries.*, ${SQL_IS_LEASED} as is_leased
    from deliveries join events using (event_id) join input using (event_id)
    where group_name = $2::text and events.type = input.type and events.data = input.data
    order by deliveries.event_id for update of deliveries),
  refused as (
    update deliveries set
      state = 'dead', reason = $4::text, fence = deliveries.fence + 1, lease_until = null, next_try_at = null,
      updated_at = now(),
      timeline = ${withStep("deliveries", { state: "'dead'", by: "$3::text", reason: "$4::text" })}
    from locked
    where deliveries.group_name = $2::text and deliveries.event_id = locked.event_id
      and locked.state in (${SQL_UNFINISHED}) and not locked.is_leased
    returning deliveries.event_id)
  select event_id from refused
  union select event_id from locked where state = 'dead' and reason = $4::text`);

/**
 * Closes the deliveries of events that the group cannot read or does not bind to: `dead`. Returns the ids of those that are closed for this reason now, whoever
 * closed them; not of those that the log does not have so, or whose delivery is not open.
 */
export const refuseDeliveries = async (
  db: Database,
  events: readonly UnreadableEvent[],
  { group, consumer, reason }: { readonly group: string; readonly consumer: string; readonly reason: string },
): Promise<ReadonlySet<string>> =>
  new Set((await refuse(db, events, group, consumer, reason)).map(({ event_id }) => event_id));
