/** Postgres did not answer in time. The statement may have had its effect. */
export class DatabaseSilent extends Error {
  override readonly name: string = "DatabaseSilent";
  readonly code = "ETIMEDOUT";

  constructor(deadlineMs: number) {
    super(`Postgres did not answer within ${deadlineMs} ms`);
  }
}

/** Postgres has answered nobody for about as long. A statement of this error was sent, with the same doubt, or waited for a connection, and was not. */
export class ServerSilent extends DatabaseSilent {
  override readonly name = "ServerSilent";
}

/** Every connection was in use for too long. The statement was not sent. */
export class PoolBusy extends Error {
  override readonly name = "PoolBusy";
  /** SQLSTATE too_many_connections. */
  readonly code = "53300";
}

/** The pool was closed. The statement was not sent. */
export class PoolEnded extends Error {
  override readonly name = "PoolEnded";
  /** As the driver calls it. */
  readonly code = "CONNECTION_ENDED";
}

/** The connection of a transaction was closed before, and the transaction with it. Nothing was sent. */
export class TransactionLost extends Error {
  override readonly name = "TransactionLost";
  /** As the driver calls it. */
  readonly code = "CONNECTION_CLOSED";
}

/** The server that was asked is a standby. Nothing else was sent. */
export class IsStandby extends Error {
  override readonly name = "IsStandby";
  /** SQLSTATE read_only_sql_transaction, as a write would be refused. */
  readonly code = "25006";
}
