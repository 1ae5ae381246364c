import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/**
 * Names are freed with the user for whom they are held; attempts at a password are counted for each client; an action can end as
 * interrupted. Attempts are forgotten: what they limited is over within minutes.
 */
export const namesAndAttempts: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable("held_names").addColumn("user_id", "uuid").execute();
    await db.schema.createIndex("held_names_user_id").on("held_names").column("user_id").execute();

    await db.schema.dropTable("password_attempts").execute();
    await db.schema
      .createTable("password_attempts")
      .addColumn("address_hash", "bytea", (column) => column.notNull())
      .addColumn("client_hash", "bytea", (column) => column.notNull())
      .addColumn("attempts", "integer", (column) => column.notNull())
      .addColumn("blocked_until", "timestamptz", (column) => column.notNull())
      .addColumn("succeeded_at", "timestamptz")
      .addColumn("expires_at", "timestamptz", (column) => column.notNull())
      .addPrimaryKeyConstraint("password_attempts_pkey", ["address_hash", "client_hash"])
      .execute();
    await db.schema.createIndex("password_attempts_expires_at").on("password_attempts").column("expires_at").execute();

    await db.schema.alterTable("audit_outcomes").dropConstraint("audit_outcomes_outcome_check").execute();
    await db.schema
      .alterTable("audit_outcomes")
      .addCheckConstraint(
        "audit_outcomes_outcome_check",
        sql`outcome in ('done', 'nothing', 'stopped', 'failed', 'interrupted')`,
      )
      .execute();
  },
};
