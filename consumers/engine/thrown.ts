import { databaseFault, isSqlState } from "../../database/errors.ts";

/** Names of errors by which `AbortSignal`, `fetch` and ioredis say that another system did not answer. */
const UNANSWERED = new Set(["AbortError", "TimeoutError", "MaxRetriesPerRequestError"]);
/** Codes of Bun's `fetch`; those of the system are the database's too. */
const CONNECTION_CODES = /^(Connection(Refused|Closed|Reset)|FailedToOpenSocket)/;

/**
 * Whether an error that a group's code threw is due to a system that the code uses, and not to the piece: a store or a
 * service is unavailable, or a table is missing. A value that Postgres refuses is the piece's.
 */
export const isSystemsFault = (error: unknown): boolean => {
  const { kind, code } = databaseFault(error);
  if (kind === "bad-data") return false;
  if (kind !== "unknown" || isSqlState(code) || CONNECTION_CODES.test(code)) return true;
  return error instanceof Error && UNANSWERED.has(error.name);
};
