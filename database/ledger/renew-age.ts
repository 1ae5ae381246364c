import { type Database, statement } from "../connection.ts";
import { SQL_UNFINISHED } from "./states.ts";

/** $1 group, $2 how old, $3 most deliveries. Rows are locked in the order of their key, as everywhere. */
const renew = statement<{ event_id: string }, [string, Date, number]>(`
  with old as materialized (
    select event_id from deliveries
    where group_name = $1::text and state in (${SQL_UNFINISHED}) and queued_at < $2::timestamptz limit $3::int),
  locked as (
    select deliveries.event_id from deliveries join old using (event_id) where group_name = $1::text
    order by deliveries.event_id for update of deliveries)
  update deliveries set queued_at = now()
  from locked where deliveries.group_name = $1::text and deliveries.event_id = locked.event_id
  returning deliveries.event_id`);

const clock = statement<{ now: Date }, []>("select now() as now");

/** Deliveries in one statement. */
const BATCH = 1_000;

/**
 * Lets the age of every unfinished delivery of a group begin now, in batches, so that none expires because its group was
 * paused. By Postgres' clock. Returns how many there were; may be stopped, and repeated.
 */
export const renewAges = async (db: Database, group: string, signal: AbortSignal): Promise<number> => {
  const [{ now } = { now: new Date(0) }] = await clock(db);
  let renewed = 0;
  for (let found = BATCH; found === BATCH && !signal.aborted; ) {
    found = (await renew(db, group, now, BATCH)).length;
    renewed += found;
  }
  return renewed;
};
