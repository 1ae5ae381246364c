/**
 * SQL: a condition, always true, that lets its own statement wait for a lock for at most so many ms, `parameter`, and no other
 * statement: so it also holds behind a pooler in transaction mode, which keeps no settings of a session. It belongs into
 * the `where` of what the statement reads first; its value is computed once, before the first row.
 */
export const sqlLockTimeout = (parameter: string): string =>
  `(select set_config('lock_timeout', (${parameter}::int)::text, true)) is not null`;
