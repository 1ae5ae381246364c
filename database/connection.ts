import { CompiledQuery, Kysely } from "kysely";
import { observedStatement } from "../observability/database-client.ts";
import { pause } from "../runtime/loop.ts";
import { DEADLINE_MS } from "./limits.ts";
import { Pool } from "./pool.ts";
import type { StatementOptions } from "./pooled-connection.ts";
import { postgresDialect } from "./postgres-dialect.ts";
import type { Schema } from "./schema.ts";

export type Database = Kysely<Schema>;

export interface DatabaseOptions {
  readonly url: string;
  /** Maximum connections. */
  readonly poolSize: number;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  /** Time limit of a statement in ms; Infinity for migrations. */
  readonly deadlineMs?: number;
}

/**
 * Opens a pool. It connects at the first query. After an outage the next query connects again, at most one second after the
 * server is available. A silent server is detected after `deadlineMs`; a statement that runs longer than the server's own
 * limits (`limits.ts`), which are below, fails without effect.
 */
export const openDatabase = (options: DatabaseOptions): Database => {
  const pool = new Pool({
    url: options.url,
    size: options.poolSize,
    applicationName: options.applicationName,
    deadlineMs: options.deadlineMs ?? DEADLINE_MS,
  });
  const db = new Kysely<Schema>({ dialect: postgresDialect(pool) });
  pools.set(db, pool);
  const destroy = db.destroy.bind(db);
  return Object.assign(db, {
    // Kysely closes only what it was asked for something, and statements do not ask it.
    destroy: async () => {
      await destroy();
      await pool.end();
    },
  });
};

/** Of databases; not of their transactions, which have a connection of their own. */
const pools = new WeakMap<Database, Pool>();

/**
 * A statement in SQL, typed by the caller. For hot statements, which are CTEs over several tables: compiling a query builder
 * at each call would halve their speed, and a query that is compiled already passes as many layers of it as cost what the driver does.
 * Each takes its rows as one JSON parameter.
 */
export const statement =
  <Row, Parameters extends readonly unknown[]>(text: string, options: StatementOptions = {}) =>
  async (db: Database, ...parameters: Parameters): Promise<readonly Row[]> => {
    const pool = pools.get(db);
    if (pool !== undefined) return observedStatement(text, () => pool.run<Row>(text, parameters, options));
    return (await db.executeQuery<Row>(CompiledQuery.raw(text, [...parameters]))).rows;
  };

/** What any statement was answered so recently says that Postgres answers. */
const ANSWERED_LATELY_MS = 1_500;
/** For a connection; with the statement itself below what readiness waits for. */
const CONNECTION_WITHIN_MS = 500;

/**
 * Resolves when Postgres answers. Where all connections are in use, what others are answered is enough: they may wait for locks while
 * Postgres is well.
 *
 * @throws the driver's error if it does not answer
 */
export const pingDatabase = async (db: Database): Promise<void> => {
  const ping = db.executeQuery(CompiledQuery.raw("select 1"));
  const pool = pools.get(db);
  if (pool === undefined) return void (await ping);
  const ended = new AbortController();
  try {
    await Promise.race([ping, pause(CONNECTION_WITHIN_MS, ended.signal)]);
    if (!pool.hasAnsweredWithin(ANSWERED_LATELY_MS)) await ping;
  } finally {
    ended.abort();
    ping.catch(() => {});
  }
};
