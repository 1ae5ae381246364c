import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/** What operators started over many deliveries, how far it has come, and whether somebody wants it to stop. */
export const jobs: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable("jobs")
      .addColumn("job_id", "uuid", (column) => column.primaryKey())
      .addColumn("actor", "text", (column) => column.notNull())
      .addColumn("action", "text", (column) => column.notNull())
      .addColumn("selection", "jsonb", (column) => column.notNull())
      .addColumn("total", "integer", (column) => column.notNull())
      .addColumn("done", "integer", (column) => column.notNull().defaultTo(0))
      .addColumn("outcomes", "jsonb", (column) => column.notNull().defaultTo(sql`'{}'::jsonb`))
      .addColumn("stop_asked_by", "text")
      .addColumn("begun_at", "timestamptz", (column) => column.notNull().defaultTo(sql`now()`))
      .addColumn("beat_at", "timestamptz", (column) => column.notNull().defaultTo(sql`now()`))
      .addColumn("ended_at", "timestamptz")
      .addColumn("error", "text")
      .execute();
    await db.schema.createIndex("jobs_begun_at").on("jobs").column("begun_at").execute();
  },
};
