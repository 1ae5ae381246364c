import { sql } from "kysely";
import { createSlots, type Slots } from "../runtime/slots.ts";
import type { Database } from "./connection.ts";
import { RowLocked } from "./errors.ts";

/** Longest wait for one row that somebody else has locked, in ms. */
export const ROW_LOCK_TIMEOUT_MS = 500;
/** Statements at the same time: those that wait for a lock leave connections to the others. */
const MAX_AT_ONCE = 4;
/** Longest wait for a turn among them: with the lock, below the 5 s after which a client is told that Postgres is silent. */
const MAX_WAIT_MS = 3_000;

/** Turns for statements of one row each that may wait for a lock; rejects with `RowLocked` if none comes in time. */
export const createLockSlots = (): Slots =>
  createSlots({ size: MAX_AT_ONCE, maxWaitMs: MAX_WAIT_MS, onFull: () => new RowLocked() });

/**
 * SQL: a condition, always true, that lets its own statement wait for a lock for at most so many ms, `parameter`, and no other
 * statement: so it also holds behind a pooler in transaction mode, which keeps no settings of a session. It belongs into
 * the `where` of what the statement reads first; its value is computed once, before the first row.
 */
export const sqlLockTimeout = (parameter: string): string =>
  `(select set_config('lock_timeout', (${parameter}::int)::text, true)) is not null`;

/** Limit of a transaction that changes tables. */
export interface LockLimit {
  /** Longest wait for a lock, in ms. All that comes later waits behind it. */
  readonly lockTimeoutMs: number;
}

/** For what is left of a transaction. */
export const limitLockWaits = async (transaction: Database, { lockTimeoutMs }: LockLimit): Promise<void> => {
  await sql`select set_config('lock_timeout', ${String(lockTimeoutMs)}, true)`.execute(transaction);
};
