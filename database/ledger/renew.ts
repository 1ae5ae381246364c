import { type Database, statement } from "../connection.ts";

/** A claim that its owner is still working on. */
export interface Lease {
  readonly event_id: string;
  readonly fence: number;
}

/** Event ids of leases: those that are renewed, and those whose rows somebody else has locked. The others are lost. */
export interface Renewal {
  readonly renewed: ReadonlySet<string>;
  /** Neither renewed nor lost: while its row is locked, nobody can claim it. */
  readonly locked: ReadonlySet<string>;
}

const renew = statement<{ event_id: string; is_renewed: boolean }, [readonly Lease[], string, number]>(`
  with input as (
    select * from json_to_recordset($1::json) as row (event_id uuid, fence int)),
  locked as (
    select deliveries.event_id from deliveries join input using (event_id, fence)
    where group_name = $2::text and state = 'active'
    order by deliveries.event_id for update of deliveries skip locked),
  renewed as (
    update deliveries set lease_until = now() + $3::float8 * interval '1 ms'
    from locked where deliveries.group_name = $2::text and deliveries.event_id = locked.event_id
    returning deliveries.event_id)
  select event_id, true as is_renewed from renewed
  union all
  select event_id, false from deliveries join input using (event_id, fence)
  where group_name = $2::text and state = 'active' and event_id not in (select event_id from locked)`);

/** Renews leases. Rows that somebody else has locked are left out: the others do not wait for them. */
export const renewLeases = async (
  db: Database,
  group: string,
  leases: readonly Lease[],
  leaseMs: number,
): Promise<Renewal> => {
  const { renewed = [], locked = [] } = Object.groupBy(await renew(db, leases, group, leaseMs), (row) =>
    row.is_renewed ? "renewed" : "locked",
  );
  const idsOf = (rows: typeof renewed) => new Set(rows.map((row) => row.event_id));
  return { renewed: idsOf(renewed), locked: idsOf(locked) };
};
