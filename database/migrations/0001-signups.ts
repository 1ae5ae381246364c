import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/** Users, the ledger of their mails, the outbox, and idempotency keys. */
export const signups: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable("users")
      .addColumn("id", "uuid", (column) => column.primaryKey())
      .addColumn("user_name", "text", (column) => column.notNull())
      .addColumn("user_name_key", "text", (column) => column.notNull().unique())
      .addColumn("email", "text", (column) => column.notNull())
      .addColumn("email_key", "text", (column) => column.notNull().unique())
      .addColumn("password_hash", "text", (column) => column.notNull())
      .addColumn("locale", "text", (column) => column.notNull().defaultTo("vi"))
      .addColumn("created_at", "timestamptz", (column) => column.notNull().defaultTo(sql`now()`))
      .execute();

    await db.schema
      .createTable("emails")
      .addColumn("event_id", "uuid", (column) => column.primaryKey())
      .addColumn("user_id", "uuid", (column) => column.notNull())
      .addColumn("template", "text", (column) => column.notNull())
      .addColumn("locale", "text", (column) => column.notNull())
      .addColumn("state", "text", (column) =>
        column
          .notNull()
          .defaultTo("queued")
          .check(
            sql`state in ('queued', 'sending', 'retrying', 'uncertain', 'held', 'sent', 'dead', 'suppressed', 'cancelled')`,
          ),
      )
      .addColumn("fence", "integer", (column) => column.notNull().defaultTo(0))
      .addColumn("lease_until", "timestamptz")
      .addColumn("attempts", "integer", (column) => column.notNull().defaultTo(0))
      .addColumn("system_failures", "integer", (column) => column.notNull().defaultTo(0))
      .addColumn("uncertain", "integer", (column) => column.notNull().defaultTo(0))
      .addColumn("next_try_at", "timestamptz")
      .addColumn("published_at", "timestamptz", (column) => column.notNull().defaultTo(sql`now()`))
      .addColumn("message_id", "text")
      .addColumn("server_reply", "text")
      .addColumn("reason", "text")
      .addColumn("timeline", "jsonb", (column) => column.notNull().defaultTo(sql`'[]'::jsonb`))
      .addColumn("traceparent", "text", (column) => column.notNull())
      .addColumn("tracestate", "text")
      .addColumn("queued_at", "timestamptz", (column) => column.notNull().defaultTo(sql`now()`))
      .addColumn("created_at", "timestamptz", (column) => column.notNull().defaultTo(sql`now()`))
      .addColumn("updated_at", "timestamptz", (column) => column.notNull().defaultTo(sql`now()`))
      .execute();
    await db.schema.createIndex("emails_user").on("emails").columns(["user_id", "template"]).execute();
    // For the reconciler and the backlog count: it contains only unfinished rows, so it stays small.
    await db.schema
      .createIndex("emails_unfinished")
      .on("emails")
      .columns(["template", "published_at"])
      .where(sql<boolean>`state in ('queued', 'sending', 'retrying', 'uncertain')`)
      .execute();

    await db.schema
      .createTable("outbox")
      .addColumn("event_id", "uuid", (column) => column.primaryKey())
      .addColumn("lease_until", "timestamptz")
      .addColumn("created_at", "timestamptz", (column) => column.notNull().defaultTo(sql`now()`))
      .execute();
    await db.schema.createIndex("outbox_created_at").on("outbox").column("created_at").execute();

    await db.schema
      .createTable("idempotency_keys")
      .addColumn("key_hash", "bytea", (column) => column.primaryKey())
      .addColumn("user_id", "uuid", (column) => column.notNull())
      .addColumn("event_id", "uuid", (column) => column.notNull())
      .addColumn("created_at", "timestamptz", (column) => column.notNull().defaultTo(sql`now()`))
      .execute();
    await db.schema.createIndex("idempotency_keys_created_at").on("idempotency_keys").column("created_at").execute();
  },
};
