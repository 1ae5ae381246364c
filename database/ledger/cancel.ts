import { type Database, statement } from "../connection.ts";
import { BACKLOG_BOUND } from "./counts.ts";
import { SQL_UNFINISHED } from "./states.ts";
import { withStep } from "./timeline.ts";

/** Reason of a delivery whose group an operator has dropped. */
export const GROUP_DROPPED = "group_dropped";

/** SQL: deliveries of group $1 that are unfinished or held, at most $2. Two reads, because each has its partial index. */
const SQL_OPEN = `
  select event_id from (
    (select event_id from deliveries where group_name = $1::text and state in (${SQL_UNFINISHED}) limit $2::int)
    union all
    (select event_id from deliveries where group_name = $1::text and state = 'held' limit $2::int)) as each
  limit $2::int`;

const count = statement<{ open: number }, [string, number]>(`
  select count(*)::int as open from (${SQL_OPEN}) as bounded`);

/** Unfinished and held deliveries of a group, counted up to `BACKLOG_BOUND`. */
export const countOpen = async (db: Database, group: string): Promise<number> =>
  (await count(db, group, BACKLOG_BOUND))[0]?.open ?? 0;

interface CancelRow {
  readonly found: number;
  readonly cancelled: readonly string[];
}

/**
 * $1 group, $2 most deliveries. Rows are locked in the order of their key, as everywhere. An active delivery is cancelled,
 * too: its fence is passed, so its owner cannot renew its lease and gives up, or is past its commit point and then records
 * `done`.
 */
const cancel = statement<CancelRow, [string, number]>(`
  with open as materialized (${SQL_OPEN}),
  locked as (
    select deliveries.event_id, state from deliveries join open using (event_id) where group_name = $1::text
    order by deliveries.event_id for update of deliveries),
  cancelled as (
    update deliveries set
      state = 'cancelled', reason = '${GROUP_DROPPED}', fence = deliveries.fence + 1, next_try_at = null,
      lease_until = null, updated_at = now(),
      timeline = ${withStep("deliveries", { state: "'cancelled'", by: "'ops'", reason: `'${GROUP_DROPPED}'` })}
    from locked
    where deliveries.group_name = $1::text and deliveries.event_id = locked.event_id
      and locked.state in (${SQL_UNFINISHED}, 'held')
    returning deliveries.event_id)
  select (select count(*)::int from open) as found,
    coalesce((select json_agg(event_id) from cancelled), '[]'::json) as cancelled`);

/**
 * Cancels unfinished and held deliveries of a group, at most `limit`; returns the event ids of those that are now
 * `cancelled`, and whether there may be more.
 */
export const cancelOpen = async (
  db: Database,
  { group, limit }: { readonly group: string; readonly limit: number },
): Promise<{ readonly cancelled: readonly string[]; readonly more: boolean }> => {
  const [row] = await cancel(db, group, limit);
  if (row === undefined) throw new Error("cancelling returned no row");
  return { cancelled: row.cancelled, more: row.found === limit };
};
