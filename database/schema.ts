import type { ColumnType, Generated } from "kysely";
import type { EmailState } from "./email-state.ts";

/** `users`: who signed up. Names and addresses as accepted; the keys beside them decide what is taken. */
export interface UsersTable {
  /** UUIDv7 */
  id: string;
  user_name: string;
  /** `comparisonKey(user_name)`, unique. */
  user_name_key: string;
  email: string;
  /** `comparisonKey(email)`, unique. */
  email_key: string;
  /** argon2id, PHC string. */
  password_hash: string;
  locale: string;
  created_at: Generated<Date>;
}

/** One step in a mail's life, appended by the statement that changes its state. Newest last, the last 50 are kept. */
export interface TimelineStep {
  /** ISO 8601, Postgres' clock. */
  readonly at: string;
  readonly state: EmailState;
  /** Consumer or process that made the step. */
  readonly by?: string;
  readonly reason?: string;
  readonly attempt?: number;
}

/** `emails`: the ledger. The truth about every mail; made with the user in one statement. */
export interface EmailsTable {
  /** UUIDv7, also the event's id in the stream and the left part of the Message-ID. */
  event_id: string;
  /** No foreign key: the ledger outlives the user. */
  user_id: string;
  template: string;
  locale: string;
  state: ColumnType<EmailState, EmailState | undefined, EmailState>;
  /** Grows by one with each claim: whoever holds a lower one has lost the mail. */
  fence: Generated<number>;
  lease_until: Date | null;
  /** Tries that a working mail server answered, or that were cut off after 354. */
  attempts: Generated<number>;
  /** Tries that failed by the system's fault: they use no attempt, but make the next wait longer. */
  system_failures: Generated<number>;
  /** Times that nobody could know whether the mail went out. Twins are at most this many. */
  uncertain: Generated<number>;
  next_try_at: Date | null;
  /** When an entry was last put (or is being put) into a stream. */
  published_at: Generated<Date>;
  message_id: string | null;
  /** The mail server's last answer, addresses removed. */
  server_reply: string | null;
  /** Why it is where it is. */
  reason: string | null;
  timeline: ColumnType<readonly TimelineStep[], readonly TimelineStep[] | undefined, readonly TimelineStep[]>;
  traceparent: string;
  tracestate: string | null;
  /** Expiry counts from here: the signup, or the last redrive. */
  queued_at: Generated<Date>;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

/** `outbox`: events that are committed and not yet known to be in the stream. Rows go when XADD was confirmed. */
export interface OutboxTable {
  event_id: string;
  /** A relay that publishes the row holds it until then; another takes over after. */
  lease_until: Date | null;
  created_at: Generated<Date>;
}

/** `idempotency_keys`: which signup a client's `Idempotency-Key` made. The key itself is not kept, only its SHA-256. */
export interface IdempotencyKeysTable {
  key_hash: Buffer;
  user_id: string;
  event_id: string;
  created_at: Generated<Date>;
}

/** `suppressions`: addresses to which nothing is sent. Filled by a 5.1.x answer, lifted by an operator. */
export interface SuppressionsTable {
  /** `comparisonKey(email)` */
  email_key: string;
  reason: string;
  /** The mail that was refused. */
  event_id: string;
  created_at: Generated<Date>;
}

export interface Schema {
  users: UsersTable;
  emails: EmailsTable;
  outbox: OutboxTable;
  idempotency_keys: IdempotencyKeysTable;
  suppressions: SuppressionsTable;
}
