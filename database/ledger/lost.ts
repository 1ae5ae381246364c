import { type Database, statement } from "../connection.ts";
import { type LoggedEvent, SQL_LOGGED_EVENT } from "../events.ts";
import { SQL_UNFINISHED } from "./states.ts";
import { withStep } from "./timeline.ts";

const take = statement<LoggedEvent, [string, number, number]>(`
  with lost as (
    select event_id from deliveries
    where group_name = $1::text and state in (${SQL_UNFINISHED})
      and published_at < now() - $2::float8 * interval '1 ms'
      and greatest(published_at, next_try_at, lease_until) < now() - $2::float8 * interval '1 ms'
      and not exists (select 1 from outbox where outbox.event_id = deliveries.event_id)
    order by published_at, event_id limit $3::int for update skip locked),
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
