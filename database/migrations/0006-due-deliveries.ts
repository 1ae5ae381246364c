import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/** Finds what is overdue without reading what waits for a retry, however much of that there is. */
export const dueDeliveries: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createIndex("deliveries_due")
      .on("deliveries")
      .columns(["group_name", sql`greatest(published_at, next_try_at)`])
      .where(sql<boolean>`state in ('queued', 'active', 'retrying', 'uncertain')`)
      .execute();
  },
};
