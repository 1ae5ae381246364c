import { messageOf } from "../runtime/message-of.ts";

/** What an error of the database means to the caller. */
export type DatabaseFault =
  /** The server is unavailable, full, read-only or too slow: the statement may be repeated later. */
  | { readonly kind: "unavailable"; readonly code: string }
  /** The statement conflicted with another and had no effect: repeat it at once. */
  | { readonly kind: "conflict"; readonly code: string }
  /** A value in the statement is refused: repeating it does not help. */
  | { readonly kind: "bad-data"; readonly code: string }
  | { readonly kind: "unknown"; readonly code: string };

/** SQLSTATE classes and codes: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const CONFLICTS = new Set(["40001", "40P01", "55P03"]);
const UNAVAILABLE_CODES = new Set(["25006", "57014", "25P03"]);
const UNAVAILABLE_CLASSES = new Set(["08", "53", "55", "57", "58", "XX", "28", "3D"]);
const BAD_DATA_CLASSES = new Set(["22", "23"]);
const SQLSTATE = /^[0-9A-Z]{5}$/;

/** No connection; the last line: because of the server's certificate. */
const NO_CONNECTION = new RegExp(
  "^(CONNECT|CONNECTION_|ECONN|ETIMEDOUT|EPIPE|EAI_|ENOTFOUND|EHOSTUNREACH|ENETUNREACH" +
    "|ERR_TLS|UNABLE_TO_|SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED_CERT|CERT_)",
);

/** Whether an error's code is one of Postgres', which has answered then. */
export const isSqlState = (code: string): boolean => SQLSTATE.test(code) && /\d/.test(code);

/** The code of an error: SQLSTATE, or the driver's or the system's; empty if it has none. */
export const codeOf = (error: unknown): string =>
  typeof error === "object" && error !== null && "code" in error && typeof error.code === "string" ? error.code : "";

/** lock_not_available: a row is locked by somebody else, and stayed so for longer than the statement may wait. */
const LOCKED = "55P03";

/** A row is locked by a transaction of somebody else. Nothing was written. */
export class RowLocked extends Error {
  override readonly name = "RowLocked";
  readonly code = LOCKED;

  constructor() {
    super("a row is locked by another transaction");
  }
}

/** A table is locked as a whole by a transaction of somebody else. The statement had no effect. */
export class TableLocked extends Error {
  override readonly name = "TableLocked";
  readonly code = LOCKED;

  constructor(options: ErrorOptions) {
    super("a table is locked by another transaction", options);
  }
}

/** Whether a statement failed because a row or a table that it needs is locked by somebody else. It had no effect. */
export const isLocked = (error: unknown): boolean => codeOf(error) === LOCKED;

/** connection_exception, insufficient_resources, invalid_authorization, operator_intervention that ends connections: also said by poolers. */
const NO_ANSWER = /^(?:08|53|28|57P)/;

/** Whether Postgres has answered, by a refusal. */
export const isAnswer = (error: unknown): boolean => isSqlState(codeOf(error)) && !NO_ANSWER.test(codeOf(error));

/** What fails before a statement is sent, and what a server that takes no connection says. */
const NOT_SENT = /^(?:28...|53300|57P03|CONNECT_TIMEOUT|CONNECTION_ENDED|ECONNREFUSED|ENOTFOUND|EAI_AGAIN)$/;

/** The failure of a later one of several statements. An earlier one has had its effect. */
export class PartlyDone extends Error {
  override readonly name = "PartlyDone";
  readonly code: string;

  constructor(cause: unknown) {
    super(messageOf(cause), { cause });
    this.code = codeOf(cause);
  }
}

/** Runs the statements that follow one which has had its effect. */
export const restOf = async <Result>(rest: () => Promise<Result>): Promise<Result> => {
  try {
    return await rest();
  } catch (error) {
    throw new PartlyDone(error);
  }
};

/** Whether what failed may have had its effect, or a part of it: it was sent, and Postgres has not said that all of it failed. */
export const mayHaveHadEffect = (error: unknown): boolean =>
  error instanceof PartlyDone || (!isAnswer(error) && !NOT_SENT.test(codeOf(error)));

/** Classifies an error of postgres.js: SQLSTATE if the server answered, else the code of the driver or the system. */
export const databaseFault = (error: unknown): DatabaseFault => {
  const code = codeOf(error);
  if (isSqlState(code)) {
    const sqlClass = code.slice(0, 2);
    if (CONFLICTS.has(code)) return { kind: "conflict", code };
    if (UNAVAILABLE_CODES.has(code) || UNAVAILABLE_CLASSES.has(sqlClass)) return { kind: "unavailable", code };
    if (BAD_DATA_CLASSES.has(sqlClass)) return { kind: "bad-data", code };
    return { kind: "unknown", code };
  }
  if (NO_CONNECTION.test(code)) {
    return { kind: "unavailable", code };
  }
  return { kind: "unknown", code };
};
