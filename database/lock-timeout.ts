import { sql } from "kysely";
import { createSlots, type Slots } from "../runtime/slots.ts";
import type { Database } from "./connection.ts";
import { isLocked, RowLocked, TableLocked } from "./errors.ts";
import { PoolBusy } from "./pool-errors.ts";

/** Longest wait for one row that somebody else has locked, in ms. */
const ROW_LOCK_TIMEOUT_MS = 500;
/** Enough for our own statements, which hold their locks for less. */
export const BRIEF_MS = 10;
/** Brief statements at the same time. */
const MAX_AT_ONCE = 4;
/** Longest wait for a turn: with the lock, below the 5 s after which a client is told that Postgres is silent. */
const MAX_WAIT_MS = 3_000;

/** Runs a statement of one row, which waits for a lock for at most so many ms. */
export type AwaitRow = <Result>(run: (lockTimeoutMs: number) => Promise<Result>) => Promise<Result>;

/**
 * Runs statements of one row each so that nobody waits because of another row: what meets a lock of somebody else waits for it apart, one
 * at a time, which leaves the connections to the others. Rejects with the code of `RowLocked` if the lock does not end in time, and with
 * `PoolBusy` if not even a first look was possible: that is nobody's lock.
 */
export const createAwaitRow = (): AwaitRow => {
  const slotsOf = (size: number, onFull: () => Error): Slots => createSlots({ size, maxWaitMs: MAX_WAIT_MS, onFull });
  const brief = slotsOf(MAX_AT_ONCE, () => new PoolBusy("statements of one row do not end; this one was not sent"));
  const patient = slotsOf(1, () => new RowLocked());
  return async (run) => {
    try {
      return await brief.run(() => run(BRIEF_MS));
    } catch (error) {
      // Of a locked table it was long enough: all that need it would wait here one by one.
      if (!isLocked(error) || error instanceof RowLocked || error instanceof TableLocked) throw error;
      return await patient.run(() => run(ROW_LOCK_TIMEOUT_MS));
    }
  };
};

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
  /** Called with the pid of the session before its first wait. */
  readonly onBegin?: (pid: number) => void;
}

/** For what is left of a transaction. */
export const limitLockWaits = async (transaction: Database, { lockTimeoutMs, onBegin }: LockLimit): Promise<void> => {
  const limited = await sql<{ pid: number }>`
    select set_config('lock_timeout', ${String(lockTimeoutMs)}, true), pg_backend_pid() as pid`.execute(transaction);
  for (const { pid } of limited.rows) onBegin?.(pid);
};
