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

/** SQL: the lease's row, found as `claim-plain.ts` finds rows: by its key, whenever the plan was made. */
const SQL_LEASED = `
      select event_id from deliveries where deliveries.event_id = input.event_id and group_name = $2::text
        and fence = input.fence and coalesce(state, '') = 'active' limit 1`;

const renew = statement<{ event_id: string; is_renewed: boolean }, [readonly Lease[], string, number]>(`
  with input as (
    select * from json_to_recordset($1::json) as row (event_id uuid, fence int)),
  locked as (
    select leased.event_id from input cross join lateral (${SQL_LEASED} for update skip locked) as leased),
  renewed as (
    update deliveries set lease_until = now() + $3::float8 * interval '1 ms'
    where group_name = $2::text and event_id = any(array(select event_id from locked))
    returning event_id)
  select event_id, true as is_renewed from renewed
  union all
  select leased.event_id, false from input cross join lateral (${SQL_LEASED}) as leased
  where leased.event_id not in (select event_id from locked)`);

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
