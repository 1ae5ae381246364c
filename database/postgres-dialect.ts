import {
  type CompiledQuery,
  type DatabaseConnection,
  type DatabaseIntrospector,
  type Dialect,
  type DialectAdapter,
  type Driver,
  type Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryCompiler,
  type QueryResult,
} from "kysely";
import type { ReservedSql, Sql } from "postgres";
import { observedStatement } from "../observability/database-client.ts";
import type { Pool } from "./pool.ts";
import { TransactionLost } from "./pool-errors.ts";

/** Runs a compiled query on the pool, or on the connection of a transaction. */
class PostgresConnection implements DatabaseConnection {
  readonly #pool: Pool;
  #beside: Sql | undefined;
  #reserved: ReservedSql | undefined;
  /** What is written to a reserved connection that is closed ends the process: the driver throws where nobody can catch it. */
  #isClosed = false;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    const reserved = this.#reserved;
    if (reserved !== undefined) this.#requireOpen();
    const rows = await observedStatement(query.sql, () =>
      reserved === undefined
        ? this.#pool.run<Row>(query.sql, query.parameters)
        : reserved.unsafe<(Row & Record<string, never>)[]>(query.sql, [...query.parameters] as never[]),
    );
    return { rows: [...rows], numAffectedRows: BigInt(rows.count ?? 0) };
  }

  // biome-ignore lint/correctness/useYield: streaming is refused, the interface asks for a generator.
  async *streamQuery<Row>(): AsyncGenerator<QueryResult<Row>> {
    throw new Error("this driver does not stream query results");
  }

  async begin(): Promise<void> {
    this.#isClosed = false;
    this.#beside = this.#pool.openBeside(() => {
      this.#isClosed = true;
    });
    try {
      // postgres.js does not resolve `reserve` where it has to connect first.
      await this.#beside.unsafe("select 1");
      this.#reserved = await this.#beside.reserve();
      // Behind a pooler the limits of its role apply, which are meant for short statements.
      await this.#reserved.unsafe("begin; set local statement_timeout = 0; set local lock_timeout = 0");
    } catch (error) {
      await this.#beside.end({ timeout: 0 });
      throw error;
    }
  }

  async end(statement: "commit" | "rollback"): Promise<void> {
    const reserved = this.#reserved;
    this.#reserved = undefined;
    try {
      if (statement === "commit") this.#requireOpen();
      if (!this.#isClosed) await reserved?.unsafe(statement);
    } finally {
      reserved?.release();
      await this.#beside?.end({ timeout: 0 });
    }
  }

  #requireOpen(): void {
    if (this.#isClosed) throw new TransactionLost("the connection of the transaction was closed");
  }
}

/** Without a lock of Kysely's for the session: a pooler may unlock it on another connection, and it would stay. `migrateToLatest` has one. */
class UnlockedAdapter extends PostgresAdapter {
  override async acquireMigrationLock(): Promise<void> {}

  override async releaseMigrationLock(): Promise<void> {}
}

class PostgresDriver implements Driver {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<PostgresConnection> {
    return new PostgresConnection(this.#pool);
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    if (connection instanceof PostgresConnection) await connection.begin();
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    if (connection instanceof PostgresConnection) await connection.end("commit");
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (connection instanceof PostgresConnection) await connection.end("rollback");
  }

  async releaseConnection(): Promise<void> {}

  async destroy(): Promise<void> {
    await this.#pool.end();
  }
}

/**
 * Kysely over a postgres.js pool, without the extra round trips of the common dialect: it reserves a connection and
 * describes every query (half the speed). Queries go to the pool, prepared: parsed and planned once per connection, one round
 * trip per call.
 *
 * Transactions are for migrations alone: postgres.js crashes the process when a backend dies inside `reserve`
 * (porsager/postgres #1208), so in a long-lived process every change is one statement.
 */
export const postgresDialect = (pool: Pool): Dialect => ({
  createAdapter: (): DialectAdapter => new UnlockedAdapter(),
  createDriver: (): Driver => new PostgresDriver(pool),
  createIntrospector: (db: Kysely<unknown>): DatabaseIntrospector => new PostgresIntrospector(db),
  createQueryCompiler: (): QueryCompiler => new PostgresQueryCompiler(),
});
