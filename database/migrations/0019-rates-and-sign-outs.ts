import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/**
 * Rates that operators ordered, of which Redis has a copy; sessions of the console that were ended before their time; and what the last
 * look for old events has deleted.
 */
export const ratesAndSignOuts: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable("ordered_rates")
      .addColumn("budget", "text", (column) => column.primaryKey())
      .addColumn("per_second", sql`double precision`, (column) => column.notNull().check(sql`per_second > 0`))
      .addColumn("ordered_at", "timestamptz", (column) => column.notNull().defaultTo(sql`now()`))
      .addColumn("ordered_by", "text", (column) => column.notNull())
      .execute();
    await db.schema
      .createTable("console_sign_outs")
      .addColumn("role", "text", (column) => column.notNull())
      .addColumn("name", "text", (column) => column.notNull())
      .addColumn("session_id", "text", (column) => column.notNull())
      .addColumn("ended_at", "timestamptz", (column) => column.notNull())
      .addColumn("expires_at", "timestamptz", (column) => column.notNull())
      .addPrimaryKeyConstraint("console_sign_outs_pkey", ["role", "name", "session_id"])
      .execute();
    await db.schema
      .createTable("ledger_pruning")
      .addColumn("is_only", "boolean", (column) => column.primaryKey().check(sql`is_only`))
      .addColumn("retention_ms", "bigint", (column) => column.notNull())
      .addColumn("looked_at", "timestamptz", (column) => column.notNull())
      .addColumn("removed_at", "timestamptz")
      .addColumn("events", "integer", (column) => column.notNull())
      .addColumn("deliveries", "integer", (column) => column.notNull())
      .execute();
  },
};
