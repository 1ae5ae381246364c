import { type Database, statement } from "./connection.ts";

/** A claim that its owner still works on. */
export interface Lease {
  readonly event_id: string;
  readonly fence: number;
}

const renew = statement<{ event_id: string }, [readonly Lease[], number]>(`
  with input as (
    select * from json_to_recordset($1::json) as row (event_id uuid, fence int)),
  locked as (
    select emails.event_id from emails join input using (event_id, fence) where state = 'sending'
    order by emails.event_id for update of emails)
  update emails set lease_until = now() + $2::float8 * interval '1 ms'
  from locked where emails.event_id = locked.event_id
  returning emails.event_id`);

/** Renews leases; returns the event ids of those that are still this owner's. */
export const renewLeases = async (db: Database, leases: readonly Lease[], leaseMs: number): Promise<Set<string>> =>
  new Set((await renew(db, leases, leaseMs)).map((row) => row.event_id));
