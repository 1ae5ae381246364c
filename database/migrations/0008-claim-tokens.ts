import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

/** By its token a consumer recognises a claim of its own whose answer was lost. */
export const claimTokens: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable("deliveries").addColumn("claim_token", "uuid").execute();
  },
};
