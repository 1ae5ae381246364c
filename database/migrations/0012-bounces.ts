import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

/** What became of a mail after a mail server had accepted it. */
export const bounces: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .alterTable("deliveries")
      .addColumn("bounced_at", "timestamptz")
      .addColumn("bounce", "text")
      .addColumn("bounce_reply", "text")
      .execute();
  },
};
