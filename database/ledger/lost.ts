import { type Database, statement } from "../connection.ts";
import { type LoggedEvent, SQL_LOGGED_EVENT } from "../events.ts";
import { SQL_UNFINISHED } from "./states.ts";
import { withStep } from "./timeline.ts";

/** When a delivery was published or will be due, whichever is later; the index `deliveries_due` has this expression. */
const DUE_AT = "greatest(published_at, next_try_at)";

/**
 * `lease_until` is no part of the index, since heartbeats renew it: it matters for what is in flight alone. Nothing else is in
 * the order, so that the index has all of it: a million that were due at the same time would be sorted for each batch.
 */
const take = statement<LoggedEvent, [string, number, number]>(`
  with lost as (
    select event_id from deliveries
    where group_name = $1::text and state in (${SQL_UNFINISHED})
      and ${DUE_AT} < now() - $2::float8 * interval '1 ms'
      and (lease_until is null or lease_until < now() - $2::float8 * interval '1 ms')
      and not exists (select 1 from outbox where outbox.event_id = deliveries.event_id)
    order by ${DUE_AT} limit $3::int for update skip locked),
  taken as (
    update deliveries set published_at = now(),
      timeline = ${withStep("deliveries", { state: "state", reason: "'reconciled'" })}
    from lost where deliveries.group_name = $1::text and deliveries.event_id = lost.event_id
    returning deliveries.event_id)
  select ${SQL_LOGGED_EVENT} from events join taken using (event_id)`);

/**
 * Finds the deliveries that their group has overtaken by `overtakenByMs`: unfinished, not in the outbox, and neither
 * published nor due nor leased since. Oldest first. It sets `published_at`, so that two api processes never get the same.
 */
export const takeLostDeliveries = (
  db: Database,
  options: { readonly group: string; readonly overtakenByMs: number; readonly limit: number },
): Promise<readonly LoggedEvent[]> => take(db, options.group, options.overtakenByMs, options.limit);
