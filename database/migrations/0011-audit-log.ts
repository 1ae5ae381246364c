import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/** What operators did: one row when an action begins, one when it ends. Nobody may change either. */
export const auditLog: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable("audit_log")
      .addColumn("action_id", "uuid", (column) => column.primaryKey())
      .addColumn("begun_at", "timestamptz", (column) => column.notNull().defaultTo(sql`now()`))
      .addColumn("actor", "text", (column) => column.notNull())
      .addColumn("surface", "text", (column) => column.notNull())
      .addColumn("host", "text", (column) => column.notNull())
      .addColumn("action", "text", (column) => column.notNull())
      .addColumn("arguments", "jsonb", (column) => column.notNull())
      .addColumn("group_name", "text")
      .execute();
    await db.schema.createIndex("audit_log_begun_at").on("audit_log").column("begun_at").execute();
    await db.schema
      .createTable("audit_outcomes")
      .addColumn("action_id", "uuid", (column) => column.primaryKey())
      .addColumn("ended_at", "timestamptz", (column) => column.notNull().defaultTo(sql`now()`))
      .addColumn("outcome", "text", (column) =>
        column.notNull().check(sql`outcome in ('done', 'nothing', 'stopped', 'failed')`),
      )
      .addColumn("affected", "integer", (column) => column.notNull())
      .addColumn("event_ids", "jsonb", (column) => column.notNull())
      .addColumn("error", "text")
      .execute();
  },
};
