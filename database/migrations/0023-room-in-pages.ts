import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/**
 * A delivery is small when it is made, and grows until it is done. So pages of years ago have room for one that is new, and new ones were
 * spread over the whole table: each read a page from the disk, logged it whole, and was claimed and settled in two more. A tenth of each page is
 * left for the versions of its own rows; what old pages have besides is too little for a new row.
 */
export const roomInPages: Migration = {
  async up(db: Kysely<unknown>) {
    await sql`alter table deliveries set (fillfactor = 90)`.execute(db);
  },
};
