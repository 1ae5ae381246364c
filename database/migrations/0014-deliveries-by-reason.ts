import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/**
 * Finds what did not go well, by group, state, reason and the time of the last change, and counts it by the index alone: for that it
 * includes the column of its expression. What is queued, in flight or done is no part of it, so that a delivery that succeeds at the
 * first attempt costs it nothing.
 */
export const deliveriesByReason: Migration = {
  async up(db: Kysely<unknown>) {
    await sql`create index deliveries_by_reason on deliveries
      (group_name, state, coalesce(reason, ''), updated_at, event_id) include (reason)
      where state in ('retrying', 'uncertain', 'held', 'dead', 'suppressed', 'cancelled')`.execute(db);
  },
};
