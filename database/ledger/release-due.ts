import { type Database, statement } from "../connection.ts";
import { type LoggedEvent, SQL_LOGGED_EVENT } from "../events.ts";
import { withStep } from "./timeline.ts";

/** In the timeline: why a held delivery is queued again without an operator. */
const HOLD_OVER = "hold_over";

/**
 * $1 group, $2 limit. Counters and age stay: what is held again and again uses up neither attempts nor the time after which it
 * is expired.
 */
const release = statement<LoggedEvent, [string, number]>(`
  with due as (
    select event_id from deliveries where group_name = $1::text and state = 'held' and next_try_at <= now()
    order by next_try_at limit $2::int for update skip locked),
  released as (
    update deliveries set state = 'queued', reason = null, reconciled = 0, next_try_at = null, published_at = now(),
      updated_at = now(), timeline = ${withStep("deliveries", { state: "'queued'", reason: `'${HOLD_OVER}'` })}
    from due where deliveries.group_name = $1::text and deliveries.event_id = due.event_id
    returning deliveries.event_id)
  select ${SQL_LOGGED_EVENT} from released join events using (event_id)`);

/** Queues the deliveries of a group whose time of being held is over, the earliest first: each once, whoever else does so now. */
export const releaseDueDeliveries = (db: Database, group: string, limit: number): Promise<readonly LoggedEvent[]> =>
  release(db, group, limit);
