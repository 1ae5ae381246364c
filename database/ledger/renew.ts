import { type Database, statement } from "../connection.ts";

/** A claim that its owner is still working on. */
export interface Lease {
  readonly event_id: string;
  readonly fence: number;
}

const renew = statement<{ event_id: string }, [readonly Lease[], string, number]>(`
  with input as (
    select * from json_to_recordset($1::json) as row (event_id uuid, fence int)),
  locked as (
    select deliveries.event_id from deliveries join input using (event_id, fence)
    where group_name = $2::text and state = 'active'
    order by deliveries.event_id for update of deliveries)
  update deliveries set lease_until = now() + $3::float8 * interval '1 ms'
  from locked where deliveries.group_name = $2::text and deliveries.event_id = locked.event_id
  returning deliveries.event_id`);

/** Renews leases; returns the event ids of those that are still this owner's. */
export const renewLeases = async (
  db: Database,
  group: string,
  leases: readonly Lease[],
  leaseMs: number,
): Promise<Set<string>> => new Set((await renew(db, leases, group, leaseMs)).map((row) => row.event_id));
