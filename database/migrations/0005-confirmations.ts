import { randomBytes } from "node:crypto";
import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/** Confirmed addresses, the key that signs the links to confirm one, and the limit on asking for another link. */
export const confirmations: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .alterTable("users")
      .addColumn("email_verified_at", "timestamptz")
      .addColumn("confirmation_hash", "bytea")
      .execute();

    await db.schema
      .createTable("signing_keys")
      .addColumn("name", "text", (column) => column.primaryKey())
      .addColumn("key", "bytea", (column) => column.notNull())
      .execute();
    await sql`insert into signing_keys (name, key) values ('confirmation', ${randomBytes(32)})`.execute(db);

    await db.schema
      .createTable("confirmation_requests")
      // The hash of an address, because anybody may ask for any address, also for one that never signed up.
      .addColumn("address_hash", "bytea", (column) => column.primaryKey())
      .addColumn("last_at", "timestamptz", (column) => column.notNull())
      .addColumn("day_began_at", "timestamptz", (column) => column.notNull())
      .addColumn("in_day", "integer", (column) => column.notNull())
      .execute();
    await db.schema
      .createIndex("confirmation_requests_last_at")
      .on("confirmation_requests")
      .column("last_at")
      .execute();
  },
};
