import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/** Pauses of groups, of which Redis has a copy; and how often a delivery was brought back. */
export const pauses: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable("paused_groups")
      .addColumn("group_name", "text", (column) => column.primaryKey())
      .addColumn("reason", "text")
      .addColumn("paused_at", "timestamptz", (column) => column.notNull().defaultTo(sql`now()`))
      .addColumn("paused_by", "text", (column) => column.notNull())
      .execute();
    await db.schema
      .alterTable("deliveries")
      .addColumn("reconciled", "integer", (column) => column.notNull().defaultTo(0))
      .execute();
  },
};
