import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

/** Accounts of which the owner of the address says that they did not make them. */
export const disownedUsers: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable("users").addColumn("disowned_at", "timestamptz").execute();
  },
};
