/** Codes of the system and of drivers for a connection that does not come about or does not last. */
const NO_CONNECTION = /^(CONNECT|CONNECTION_|ECONN|ETIMEDOUT|EPIPE|EAI_|ENOTFOUND|EHOSTUNREACH|ENETUNREACH)/;
/** What is published of a Redis that does not answer or is not connected: a situation looks for it. */
export const REDIS_AWAY = "Redis does not answer";
/** SQLSTATE: five digits and capitals, at least one digit. */
export const SQLSTATE = /^(?=.*\d)[0-9A-Z]{5}$/;
/** disk_full */
const DISK_FULL = "53100";
/** What is published of it: a situation looks for it. */
export const POSTGRES_DISK_FULL = "the disk of PostgreSQL is full";
/** io_error: of a Postgres that ends no commit, since it cannot write, or waits for a standby. */
export const UNENDED = "58030";
/** How Redis begins its refusals: `OOM command not allowed ...`. */
const REFUSAL = /^[A-Z]{3,16}(?= )/;
/** Redis calls `ERR` what its rights keep a script from; before 7.2 in other words. */
const NOPERM_IN_SCRIPT = /^ERR (ACL failure in script|The user executing the script can't run)/;
/** Of XADD behind the highest id that there is. */
const AT_HIGHEST_ID = /exhausted the last possible ID|equal or smaller than the target stream top item/;
/** What is published of it: a situation looks for it. */
export const STREAM_AT_END = "a stream of Redis is at the highest id, and takes no entry";
/** ioredis, when Redis does not answer or is not connected. */
const NO_ANSWER = /^(Stream isn't writeable|Connection is closed|Command timed out)/;

/** What is published of a consumer whose sign of life Redis refuses: a situation looks for it. */
export const SIGN_REFUSED = "Redis refuses its sign of life";

/** Redis refuses a sign of life, which is the error's cause. Who gives none looks dead to others. */
export class SignOfLifeRefused extends Error {
  override readonly name = "SignOfLifeRefused";
  constructor(keys: readonly string[], cause: unknown) {
    // A script does not say of which key.
    super(`no sign of life can be written to ${keys.join(", ")}`, { cause });
  }
}

const codeOf = (error: Error): string => ("code" in error && typeof error.code === "string" ? error.code : "");

/**
 * A fault as health answers may publish it: which store is at fault, and its code. The error's own words stay in the log,
 * because those of drivers name hosts, tables and keys.
 */
export const publishedFault = (error: unknown): string => {
  if (!(error instanceof Error)) return "failed; see the log";
  if (error instanceof SignOfLifeRefused)
    return publishedFault(error.cause).replace("Redis refuses a command", SIGN_REFUSED);
  const code = codeOf(error);
  if (NO_CONNECTION.test(code)) return `a store cannot be reached (${code})`;
  if (code === DISK_FULL) return `${POSTGRES_DISK_FULL} (${code})`;
  if (code === UNENDED) return `PostgreSQL ends no commit: its disk or its standby is away (${code})`;
  if (SQLSTATE.test(code)) return `PostgreSQL refuses a statement (${code})`;
  if (error.name === "MaxRetriesPerRequestError" || NO_ANSWER.test(error.message)) return REDIS_AWAY;
  if (error.name === "ReplyError" && NOPERM_IN_SCRIPT.test(error.message)) return "Redis refuses a command (NOPERM)";
  if (error.name === "ReplyError" && AT_HIGHEST_ID.test(error.message)) return `${STREAM_AT_END} (ERR)`;
  const [refusal] = error.name === "ReplyError" ? (REFUSAL.exec(error.message) ?? ["error"]) : [];
  if (refusal !== undefined) return `Redis refuses a command (${refusal})`;
  if (error instanceof AggregateError && error.errors.length > 0) return publishedFault(error.errors[0]);
  return error.cause === undefined ? "failed; see the log" : publishedFault(error.cause);
};
