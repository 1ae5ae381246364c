import type { Schema } from "./schema.ts";

/** The roles of Postgres that run: one for each kind of process. */
export type ServiceRole = "signup_api" | "signup_consumer" | "signup_ops";

/** They own nothing, and may do what the table below says. */
export const SERVICE_ROLES: readonly ServiceRole[] = ["signup_api", "signup_consumer", "signup_ops"];

/** Owns the tables, and changes them; for `bun run migrate` alone. */
export const MIGRATING_ROLE = "signup_migrate";

/** The service's own tables, and those that Kysely keeps of the migrations. */
interface Tables extends Schema {
  kysely_migration: { readonly name: string };
  kysely_migration_lock: { readonly id: string };
}

type ColumnOf<Table extends keyof Tables> = keyof Tables[Table] & string;

/** `true`: the whole table; else these columns alone. A row is locked (`for update`) by whoever may update a column of it. */
interface TableRights<Table extends keyof Tables> {
  readonly select?: true | readonly ColumnOf<Table>[];
  readonly insert?: true;
  readonly update?: true | readonly ColumnOf<Table>[];
  readonly delete?: true;
}

type Rights = { readonly [Table in keyof Tables]?: TableRights<Table> };

/**
 * What each role may do, and nothing else: the only place. `migrate` grants it, the tests run under it, and
 * `tests/least-privilege.test.ts` names what is missing, and what nobody uses.
 */
export const DATABASE_RIGHTS: Readonly<Record<ServiceRole, Rights>> = {
  signup_api: {
    users: {
      select: true,
      insert: true,
      update: ["email_verified_at", "confirmation_hash", "password_hash", "disowned_at"],
    },
    events: { select: true, insert: true, delete: true },
    deliveries: { select: true, insert: true, update: true, delete: true },
    outbox: { select: true, insert: true, update: true, delete: true },
    idempotency_keys: { select: true, insert: true, update: ["created_at"], delete: true },
    repeated_signups: { select: true, insert: true, update: ["created_at"], delete: true },
    held_names: { select: true, insert: true, delete: true },
    password_attempts: {
      select: true,
      insert: true,
      update: ["attempts", "blocked_until", "succeeded_at", "expires_at"],
      delete: true,
    },
    suppressions: { select: ["email_key", "event_id"], insert: true, update: ["reason", "event_id", "created_at"] },
    transactions: { select: true, insert: true },
    signing_keys: { select: true },
    confirmation_requests: { select: true, insert: true, update: true, delete: true },
    paused_groups: { select: true, insert: true, delete: true },
    ordered_rates: { select: true },
    ledger_pruning: {
      select: true,
      insert: true,
      update: ["retention_ms", "looked_at", "removed_at", "events", "deliveries"],
    },
    kysely_migration: { select: true },
  },
  signup_consumer: {
    // No password hash.
    users: { select: ["id", "user_name", "email", "email_key", "email_verified_at", "created_at"] },
    events: { select: true, insert: true },
    deliveries: { select: true, insert: true, update: true },
    suppressions: { select: ["email_key"], insert: true },
    accounts: { select: true, update: ["balance"] },
    transactions: { select: true, update: ["status", "reason", "settled_at"] },
    signing_keys: { select: true },
    paused_groups: { select: ["group_name"], insert: true },
    ordered_rates: { select: ["budget", "per_second"] },
    kysely_migration: { select: true },
  },
  signup_ops: {
    users: {
      select: ["id", "user_name", "user_name_key", "email", "email_key", "locale", "email_verified_at", "disowned_at"],
      insert: true,
      delete: true,
    },
    events: { select: true, insert: true },
    deliveries: { select: true, insert: true, update: true },
    outbox: { select: true, insert: true },
    idempotency_keys: { select: ["user_id"], delete: true },
    suppressions: { select: true, delete: true },
    confirmation_requests: { select: ["address_hash"], delete: true },
    password_attempts: { select: ["address_hash"], delete: true },
    repeated_signups: { select: ["email_key"], delete: true },
    held_names: { select: ["user_id"], delete: true },
    paused_groups: { select: true, insert: true, delete: true },
    ordered_rates: { select: true, insert: true, update: ["per_second", "ordered_by", "ordered_at"], delete: true },
    console_sign_outs: { select: true, insert: true, update: ["ended_at", "expires_at"], delete: true },
    ledger_pruning: { select: true },
    // No update, no delete: what is written stays.
    audit_log: { select: true, insert: true },
    audit_outcomes: { select: true, insert: true },
    jobs: {
      select: true,
      insert: true,
      update: ["done", "outcomes", "stop_asked_by", "beat_at", "ended_at", "error"],
      delete: true,
    },
    kysely_migration: { select: true },
  },
};

/** Roles of Postgres' own that a role is a member of: `ops doctor` reads who waits for whose lock. */
export const MEMBERSHIPS = [{ role: "signup_ops", of: "pg_read_all_stats" }] as const;

/** One right: what is granted, in SQL, and to whom. */
export interface Grant {
  readonly role: ServiceRole;
  readonly table: string;
  /** `select`, or `select (email_key)`. */
  readonly privilege: string;
}

const OPERATIONS = ["select", "insert", "update", "delete"] as const;

/** Each right of a role by itself; one for each column where columns are named. */
export const grantsOf = (role: ServiceRole): readonly Grant[] =>
  Object.entries(DATABASE_RIGHTS[role]).flatMap(([table, rights]) =>
    OPERATIONS.flatMap((operation): readonly Grant[] => {
      const right = rights[operation];
      if (right === undefined) return [];
      if (right === true) return [{ role, table, privilege: operation }];
      return right.map((column) => ({ role, table, privilege: `${operation} (${column})` }));
    }),
  );

/** Every table of the service: those that some role may use, and the migrations' own. */
export const TABLES: readonly string[] = [
  ...new Set([
    ...SERVICE_ROLES.flatMap((role) => Object.keys(DATABASE_RIGHTS[role])),
    "kysely_migration",
    "kysely_migration_lock",
  ]),
];
