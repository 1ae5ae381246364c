import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/** Signups that repeat an address, the names that they hold, and the limit on attempts to verify a password. */
export const privateSignups: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable("repeated_signups")
      .addColumn("user_id", "uuid", (column) => column.primaryKey())
      .addColumn("event_id", "uuid", (column) => column.notNull())
      .addColumn("user_name", "text", (column) => column.notNull())
      .addColumn("email", "text", (column) => column.notNull())
      .addColumn("email_key", "text", (column) => column.notNull())
      .addColumn("password_hash", "text")
      .addColumn("locale", "text", (column) => column.notNull())
      .addColumn("created_at", "timestamptz", (column) => column.notNull().defaultTo(sql`now()`))
      .execute();
    await db.schema
      .createIndex("repeated_signups_email_key")
      .on("repeated_signups")
      .columns(["email_key", "created_at"])
      .execute();
    await db.schema.createIndex("repeated_signups_created_at").on("repeated_signups").column("created_at").execute();

    await db.schema
      .createTable("held_names")
      // A hash: the name belongs to nobody, and is only compared.
      .addColumn("name_hash", "bytea", (column) => column.primaryKey())
      .execute();

    await db.schema
      .createTable("password_attempts")
      .addColumn("address_hash", "bytea", (column) => column.primaryKey())
      .addColumn("began_at", "timestamptz", (column) => column.notNull())
      .addColumn("attempts", "integer", (column) => column.notNull())
      .execute();
    await db.schema.createIndex("password_attempts_began_at").on("password_attempts").column("began_at").execute();
  },
};
