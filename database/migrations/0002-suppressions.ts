import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/** Addresses that do not exist: later mails to them are `suppressed` until an operator lifts the suppression. */
export const suppressions: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable("suppressions")
      .addColumn("email_key", "text", (column) => column.primaryKey())
      .addColumn("reason", "text", (column) => column.notNull())
      .addColumn("event_id", "uuid", (column) => column.notNull())
      .addColumn("created_at", "timestamptz", (column) => column.notNull().defaultTo(sql`now()`))
      .execute();
  },
};
