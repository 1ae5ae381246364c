/** Time limit of a statement in ms. Hot ones take milliseconds; one that takes this long is on a connection that died silently. */
export const DEADLINE_MS = 5_000;

/** Shares of the deadline: the server gives up before we do, so what failed by our clock has had no effect. */
const STATEMENT_SHARE = 0.8;
const LOCK_SHARE = 0.2;
const IDLE_SHARE = 2;

/** Limits that Postgres itself keeps, in ms, by the names of its settings. */
export type Limits = Readonly<
  Record<"statement_timeout" | "lock_timeout" | "idle_in_transaction_session_timeout", number>
>;

/**
 * Policies of row level security make statements fail (42501), and hide no rows: a row that is not seen is one that was erased, and its mail is never sent.
 */
const ROW_SECURITY = { row_security: "off" } as const;

/** The server's limits for connections whose statements we wait for up to `deadlineMs`. */
export const limitsFor = (deadlineMs: number): Limits => ({
  statement_timeout: Math.ceil(deadlineMs * STATEMENT_SHARE),
  lock_timeout: Math.ceil(deadlineMs * LOCK_SHARE),
  idle_in_transaction_session_timeout: IDLE_SHARE * deadlineMs,
});

/** What our connections ask of Postgres, by the names of its settings: nothing without a deadline, as for migrations. */
export const sessionSettings = (deadlineMs: number): Readonly<Record<string, string | number>> =>
  Number.isFinite(deadlineMs) ? { ...ROW_SECURITY, ...limitsFor(deadlineMs) } : {};
