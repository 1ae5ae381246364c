import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/**
 * The log of events and the ledger of deliveries, in place of the table `emails`. Rows keep all counters, also with work in
 * flight: a mail that is being sent keeps its lease and its fence. The version before cannot run on the new schema: stop its
 * processes first (entries in Redis do not change).
 */
export const eventsAndDeliveries: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable("events")
      .addColumn("event_id", "uuid", (column) => column.primaryKey())
      .addColumn("type", "text", (column) => column.notNull())
      .addColumn("subject", "text", (column) => column.notNull())
      .addColumn("data", "jsonb", (column) => column.notNull())
      .addColumn("traceparent", "text", (column) => column.notNull())
      .addColumn("tracestate", "text")
      .addColumn("created_at", "timestamptz", (column) => column.notNull().defaultTo(sql`now()`))
      .execute();

    await db.schema
      .createTable("deliveries")
      .addColumn("group_name", "text", (column) => column.notNull())
      .addColumn("event_id", "uuid", (column) => column.notNull())
      .addColumn("state", "text", (column) =>
        column
          .notNull()
          .defaultTo("queued")
          .check(
            sql`state in ('queued', 'active', 'retrying', 'uncertain', 'held', 'done', 'dead', 'suppressed', 'cancelled')`,
          ),
      )
      .addColumn("fence", "integer", (column) => column.notNull().defaultTo(0))
      .addColumn("lease_until", "timestamptz")
      .addColumn("attempts", "integer", (column) => column.notNull().defaultTo(0))
      .addColumn("system_failures", "integer", (column) => column.notNull().defaultTo(0))
      .addColumn("uncertain", "integer", (column) => column.notNull().defaultTo(0))
      .addColumn("unanswered", "integer", (column) => column.notNull().defaultTo(0))
      .addColumn("next_try_at", "timestamptz")
      .addColumn("published_at", "timestamptz", (column) => column.notNull().defaultTo(sql`now()`))
      .addColumn("reason", "text")
      .addColumn("receipt", "text")
      .addColumn("reply", "text")
      .addColumn("timeline", "jsonb", (column) => column.notNull().defaultTo(sql`'[]'::jsonb`))
      .addColumn("queued_at", "timestamptz", (column) => column.notNull().defaultTo(sql`now()`))
      .addColumn("created_at", "timestamptz", (column) => column.notNull().defaultTo(sql`now()`))
      .addColumn("updated_at", "timestamptz", (column) => column.notNull().defaultTo(sql`now()`))
      // In this order one index serves a batch of one group, and all groups of one event.
      .addPrimaryKeyConstraint("deliveries_pkey", ["event_id", "group_name"])
      .execute();

    await sql`insert into events (event_id, type, subject, data, traceparent, tracestate, created_at)
      select event_id, 'user.signed_up.v1', user_id::text,
        jsonb_build_object('user_id', user_id, 'locale', locale), traceparent, tracestate, created_at
      from emails`.execute(db);
    await sql`insert into deliveries (group_name, event_id, state, fence, lease_until, attempts, system_failures, uncertain,
        next_try_at, published_at, reason, receipt, reply, timeline, queued_at, created_at, updated_at)
      select template || '-email', event_id, case state when 'sending' then 'active' when 'sent' then 'done' else state end,
        fence, lease_until, attempts, system_failures, uncertain, next_try_at, published_at, reason, message_id,
        server_reply, (
          select coalesce(jsonb_agg(case step ->> 'state'
            when 'sending' then jsonb_set(step, '{state}', '"active"')
            when 'sent' then jsonb_set(step, '{state}', '"done"') else step end order by position), '[]'::jsonb)
          from jsonb_array_elements(timeline) with ordinality as steps (step, position)),
        queued_at, created_at, updated_at
      from emails`.execute(db);
    await db.schema.dropTable("emails").execute();

    // Replay reads the log from a time on; find and erase ask by subject.
    await db.schema.createIndex("events_created_at").on("events").columns(["created_at", "event_id"]).execute();
    await db.schema.createIndex("events_subject").on("events").column("subject").execute();
    // For the reconciler and the backlog count: it contains only unfinished rows, so it stays small.
    await db.schema
      .createIndex("deliveries_unfinished")
      .on("deliveries")
      .columns(["group_name", "published_at"])
      .where(sql<boolean>`state in ('queued', 'active', 'retrying', 'uncertain')`)
      .execute();
    // For the list of held deliveries.
    await db.schema
      .createIndex("deliveries_held")
      .on("deliveries")
      .columns(["group_name", "event_id"])
      .where(sql<boolean>`state = 'held'`)
      .execute();
  },
};
