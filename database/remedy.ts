import { codeOf } from "./errors.ts";

/** What a pool changes because a statement failed. */
export type Remedy =
  | "none"
  /** Statements are sent without a name: a pooler gives each to another server connection, which knows no names. */
  | "unnamed"
  /** Connections are opened without settings of their own: the pooler refuses them. */
  | "without-settings"
  /** The next server is asked: this one cannot be reached, or takes no writes. */
  | "next-server"
  /** New connections are opened, since the old ones lead nowhere, or to a server that takes no writes. */
  | "reconnect"
  /** This connection is replaced: its session may lack what a new one has. */
  | "renew";

/** invalid_sql_statement_name, duplicate_prepared_statement: refused before the statement is run. */
const NAMES_REFUSED = new Set(["26000", "42P05"]);
/** read_only_sql_transaction: the server is a standby, or was made one. */
const READ_ONLY = "25006";
/**
 * Undefined table, column, function, type or schema, and insufficient_privilege: also what a session meets that began while its role's settings
 * were wrong (`search_path`, `role`, `row_security`). It keeps them, whatever the role is given later.
 */
const OF_SESSION = new Set(["42P01", "42703", "42883", "42704", "3F000", "42501"]);
/** No connection, so no effect. 57P03: it starts or shuts down; 3D000: not this database; 53300: too many connections. */
const UNREACHABLE = /^(CONNECT_TIMEOUT|ECONNREFUSED|ENOTFOUND|EAI_|EHOSTUNREACH|ENETUNREACH|57P03)/;
/** The pool's own: no answer within the deadline. The effect is unknown. */
const SILENT = "ETIMEDOUT";

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : "");

/**
 * What follows from a failure. Pure.
 *
 * | failure                                           | remedy                                                        |
 * | ------------------------------------------------- | ------------------------------------------------------------- |
 * | the name of a prepared statement is unknown       | unnamed                                                       |
 * | a startup parameter is refused                    | without-settings                                              |
 * | read-only, or no connection; several servers      | next-server                                                   |
 * | read-only; one server                             | reconnect: the address may lead to another server by now      |
 * | no answer                                         | reconnect                                                     |
 * | a name is not found, or a right is missing        | renew: the session may have begun with other settings         |
 */
export const remedyOf = (error: unknown, { servers }: { readonly servers: number }): Remedy => {
  const code = codeOf(error);
  if (NAMES_REFUSED.has(code)) return "unnamed";
  if (code === "08P01" && messageOf(error).includes("startup parameter")) return "without-settings";
  if (servers > 1 && (code === READ_ONLY || UNREACHABLE.test(code))) return "next-server";
  if (OF_SESSION.has(code)) return "renew";
  return code === READ_ONLY || code === SILENT ? "reconnect" : "none";
};
