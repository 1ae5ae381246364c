import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/** Accounts, and the transactions that debit them: each at most once. */
export const payments: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable("accounts")
      .addColumn("user_id", "uuid", (column) => column.notNull())
      .addColumn("currency", "text", (column) => column.notNull().check(sql`currency ~ '^[A-Z]{3}$'`))
      // Whatever a statement does, no account is overdrawn.
      .addColumn("balance", "bigint", (column) => column.notNull().check(sql`balance >= 0`))
      .addPrimaryKeyConstraint("accounts_pkey", ["user_id", "currency"])
      .execute();

    await db.schema
      .createTable("transactions")
      .addColumn("transaction_id", "text", (column) => column.primaryKey())
      .addColumn("event_id", "uuid", (column) => column.notNull())
      .addColumn("user_id", "uuid", (column) => column.notNull())
      .addColumn("currency", "text", (column) => column.notNull())
      .addColumn("amount", "bigint", (column) => column.notNull().check(sql`amount > 0`))
      .addColumn("status", "text", (column) =>
        column.notNull().defaultTo("queued").check(sql`status in ('queued', 'completed', 'rejected')`),
      )
      .addColumn("reason", "text", (column) => column.check(sql`reason in ('insufficient_funds', 'no_such_account')`))
      .addColumn("created_at", "timestamptz", (column) => column.notNull().defaultTo(sql`now()`))
      .addColumn("settled_at", "timestamptz")
      .execute();
  },
};
