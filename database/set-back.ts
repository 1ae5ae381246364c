/** Far more than any statement takes: two that run at a time differ by less in what is now. */
const BEYOND = "interval '1 minute'";

/**
 * SQL: whether a time that was now, or soon, when it was written lies ahead: then Postgres' clock was set back since, or another server
 * with a clock that is behind was promoted.
 */
export const sqlIsAhead = (time: string): string => `coalesce(${time} > now() + ${BEYOND}, false)`;

/**
 * SQL: whether somebody holds the lease of a delivery. One that ends after the row was changed, where that lies ahead, is of before the clock
 * was set back, and nobody has renewed it since: its owner is dead. By its own words it would hold for as long as the clock was set back.
 */
export const SQL_IS_LEASED = `(state = 'active' and lease_until > now()
  and not (${sqlIsAhead("updated_at")} and lease_until > updated_at))`;
