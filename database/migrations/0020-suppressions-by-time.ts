import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

/** Lists the latest suppressions, and counts those of an hour, without reading all of them: an open console does each few seconds. */
export const suppressionsByTime: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema.createIndex("suppressions_by_time").on("suppressions").column("created_at").execute();
  },
};
