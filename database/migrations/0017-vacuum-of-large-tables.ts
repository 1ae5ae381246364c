import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/**
 * Autovacuum begins at a fifth of a table by default: at 20 million deliveries after four million dead rows, two of each signup, between
 * which the partial indexes of unfinished work and the newest pages are read again and again. A fiftieth bounds that; less would read the
 * large indexes too often, since each run reads them whole. Inserts count likewise: what is read by an index alone needs the visibility
 * map of the newest pages. The outbox and the keys are emptied all the time, so they are small, and hot: a fixed number.
 */
export const vacuumOfLargeTables: Migration = {
  async up(db: Kysely<unknown>) {
    for (const table of ["events", "deliveries", "users"]) {
      await sql`alter table ${sql.table(table)} set (
        autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 10000,
        autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_vacuum_insert_threshold = 10000,
        autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 10000)`.execute(db);
    }
    for (const table of ["outbox", "idempotency_keys"]) {
      await sql`alter table ${sql.table(table)} set (
        autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000)`.execute(db);
    }
  },
};
