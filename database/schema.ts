import type { ColumnType, Generated } from "kysely";
import type { DeliveryState } from "./ledger/states.ts";
import type { TimelineStep } from "./ledger/timeline.ts";
import type {
  AuditLogTable,
  AuditOutcomesTable,
  ConsoleSignOutsTable,
  JobsTable,
  LedgerPruningTable,
  OrderedRatesTable,
  PausedGroupsTable,
} from "./operators-schema.ts";

/** `users`: who signed up. Names and addresses as accepted; their keys decide what is taken. */
export interface UsersTable {
  /** UUIDv7 */
  id: string;
  user_name: string;
  /** `nameKey(user_name)`, unique. */
  user_name_key: string;
  email: string;
  /** `comparisonKey(email)`, unique. */
  email_key: string;
  /** argon2id, PHC string. */
  password_hash: string;
  locale: string;
  created_at: Generated<Date>;
  /** When the address was confirmed; null: not yet. */
  email_verified_at: ColumnType<Date | null, undefined, Date | null>;
  /** SHA-256 of the token that confirmed the address. */
  confirmation_hash: ColumnType<Buffer | null, undefined, Buffer | null>;
  /** When the owner of the address said that they did not sign up; null: they did not say so. */
  disowned_at: ColumnType<Date | null, undefined, Date | null>;
}

/** `events`: the durable log, append only. The event's entry can be built from its row at any time. */
export interface EventsTable {
  /** UUIDv7, also the event's id in the stream. */
  event_id: string;
  /** `user.signed_up.v1` */
  type: string;
  /** What the event is about: a user's id, a transaction's id. */
  subject: string;
  /** Ids only: personal data stays in its own table. */
  data: ColumnType<unknown, string, never>;
  traceparent: string;
  tracestate: string | null;
  created_at: Generated<Date>;
}

/** `deliveries`: the ledger. One event in one group; written with the event, in one statement. */
export interface DeliveriesTable {
  group_name: string;
  event_id: string;
  state: ColumnType<DeliveryState, DeliveryState | undefined, DeliveryState>;
  /** Grows by one with each claim: an owner with a lower one has lost the delivery. */
  fence: Generated<number>;
  lease_until: Date | null;
  /** Of the claim that holds it, or held it last. */
  claim_token: string | null;
  /** Attempts that a working system answered, or that were cut off after their commit point. */
  attempts: Generated<number>;
  /** Failures of the system: they use up no attempt, but make the next delay longer. */
  system_failures: Generated<number>;
  /** Times that it was unknown whether the effect took place. Duplicates never exceed it. */
  uncertain: Generated<number>;
  /** Claims since the last outcome: what kills its consumers is found by it. */
  unanswered: Generated<number>;
  /** Times that the reconciler published it again since a consumer last claimed it. */
  reconciled: Generated<number>;
  /**
   * No attempt before this time: a retry, or the first attempt of a group with a delay. Of a held delivery: when it is queued
   * again by itself; null: it waits for an operator.
   */
  next_try_at: Date | null;
  /** When an entry was last published, or is being published. */
  published_at: Generated<Date>;
  /** Why it is where it is. */
  reason: string | null;
  /** The id of the effect in the other system: a Message-ID, a transaction. */
  receipt: string | null;
  /** The other system's last reply, addresses removed. */
  reply: string | null;
  /** When it was reported that what had been accepted did not arrive, or was not wanted. */
  bounced_at: Date | null;
  /** What was reported then: `bounced 5.1.1`, `complained`. */
  bounce: string | null;
  /** In whose words, addresses removed. */
  bounce_reply: string | null;
  timeline: ColumnType<readonly TimelineStep[], string | undefined, never>;
  /** Expiry counts from here: the event, or the last redrive. */
  queued_at: Generated<Date>;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

/** `outbox`: events that are committed and not yet known to be in the stream. Rows are deleted when XADD is confirmed. */
export interface OutboxTable {
  event_id: string;
  /** The lease of the relay that publishes the row; after it another relay may lease it. */
  lease_until: Date | null;
  created_at: Generated<Date>;
}

/** `idempotency_keys`: the signup made under a client's `Idempotency-Key`, of which only the SHA-256 is stored. */
export interface IdempotencyKeysTable {
  key_hash: Buffer;
  user_id: string;
  event_id: string;
  created_at: Generated<Date>;
}

/** `suppressions`: addresses to which nothing is sent. Filled by a 5.1.x answer, a bounce, a complaint, and by who did not sign up; lifted by an operator. */
export interface SuppressionsTable {
  /** `comparisonKey(email)`; of who did not sign up, `canonicalMailbox(email)`. */
  email_key: string;
  reason: string;
  /** The event whose mail was refused, or came back, or of the signup that was disowned. */
  event_id: string;
  created_at: Generated<Date>;
}

/** `accounts`: what a user has, in one currency. */
export interface AccountsTable {
  user_id: string;
  /** ISO 4217: `VND`. */
  currency: string;
  /** In minor units; never negative. A bigint, which the driver reads as text. */
  balance: ColumnType<string, string | number | bigint, string | number | bigint>;
}

/** `transactions`: debits that were asked for, and what became of each. */
export interface TransactionsTable {
  /** The client's own; the debit takes place at most once for each. */
  transaction_id: string;
  /** Of `payment.requested.v1`. */
  event_id: string;
  user_id: string;
  currency: string;
  amount: ColumnType<string, string | number | bigint, never>;
  status: ColumnType<"queued" | "completed" | "rejected", undefined, "completed" | "rejected">;
  reason: ColumnType<"insufficient_funds" | "no_such_account" | null, undefined, string>;
  created_at: Generated<Date>;
  settled_at: Date | null;
}

/** `signing_keys`: random keys that every process of the service shares. */
export interface SigningKeysTable {
  /** What is signed: `confirmation`. */
  name: string;
  key: Buffer;
}

/** `confirmation_requests`: how often a confirmation mail was asked for, for each address, whether it is known or not. */
export interface ConfirmationRequestsTable {
  /** SHA-256 of `comparisonKey(email)`. */
  address_hash: Buffer;
  last_at: Date;
  day_began_at: Date;
  /** Requests that were granted since `day_began_at`. */
  in_day: number;
}

/**
 * `repeated_signups`: what was answered to signups with a known address while `SIGNUP_DISCLOSURE` is private: nobody was
 * made. Kept for a day, to answer them again and to limit the notices.
 */
export interface RepeatedSignupsTable {
  /** As answered; that of no user. */
  user_id: string;
  event_id: string;
  user_name: string;
  email: string;
  /** `comparisonKey(email)` */
  email_key: string;
  /** Of the signup that was refused, if it had an Idempotency-Key. */
  password_hash: string | null;
  locale: string;
  created_at: Generated<Date>;
}

/**
 * `held_names`: every name that was taken while `SIGNUP_DISCLOSURE` is private, by a signup that made a user or by one that did not:
 * the guard of both.
 */
export interface HeldNamesTable {
  /** SHA-256 of `nameKey(user_name)`. */
  name_hash: Buffer;
  /** Who took it, or, of a repeated signup, who has its address: the name is free again when they are gone. null: held for good. */
  user_id: string | null;
}

/** `password_attempts`: attempts at a password, for each address, known or not: of each client, and of all clients. */
export interface PasswordAttemptsTable {
  /** SHA-256 of `comparisonKey(email)`. */
  address_hash: Buffer;
  /** SHA-256 of the client; empty: all of them. */
  client_hash: Buffer;
  /** Without one that succeeded since. */
  attempts: number;
  /** No further attempt before this time. */
  blocked_until: Date;
  /** When the client was right about the password. */
  succeeded_at: Date | null;
  /** After this time the row says nothing more. */
  expires_at: Date;
}

export interface Schema {
  jobs: JobsTable;
  users: UsersTable;
  events: EventsTable;
  deliveries: DeliveriesTable;
  outbox: OutboxTable;
  idempotency_keys: IdempotencyKeysTable;
  suppressions: SuppressionsTable;
  accounts: AccountsTable;
  transactions: TransactionsTable;
  signing_keys: SigningKeysTable;
  confirmation_requests: ConfirmationRequestsTable;
  repeated_signups: RepeatedSignupsTable;
  held_names: HeldNamesTable;
  password_attempts: PasswordAttemptsTable;
  paused_groups: PausedGroupsTable;
  ordered_rates: OrderedRatesTable;
  console_sign_outs: ConsoleSignOutsTable;
  ledger_pruning: LedgerPruningTable;
  audit_log: AuditLogTable;
  audit_outcomes: AuditOutcomesTable;
}
