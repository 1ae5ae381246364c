import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/** Finds what is held until a time that has come, however much is held. */
export const heldUntil: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createIndex("deliveries_held_until")
      .on("deliveries")
      .columns(["group_name", "next_try_at"])
      .where(sql<boolean>`state = 'held' and next_try_at is not null`)
      .execute();
  },
};
