import { CompiledQuery, Kysely } from "kysely";
import { Pool } from "./pool.ts";
import { postgresDialect } from "./postgres-dialect.ts";
import type { Schema } from "./schema.ts";

export type Database = Kysely<Schema>;

export interface DatabaseOptions {
  readonly url: string;
  /** Connections at the most. */
  readonly poolSize: number;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  /** Longest wait for a statement, in ms; Infinity for migrations. */
  readonly deadlineMs?: number;
}

/** Hot statements take milliseconds; one that takes so long is on a connection that died silently. */
const DEADLINE_MS = 5_000;

/**
 * Opens a pool. No connection is made before the first query, and none is given up for good: after an outage the next
 * query connects again, at the latest one second after the server is back. A server that falls silent is noticed after
 * `deadlineMs`.
 */
export const openDatabase = (options: DatabaseOptions): Database =>
  new Kysely<Schema>({
    dialect: postgresDialect(
      new Pool({
        url: options.url,
        size: options.poolSize,
        applicationName: options.applicationName,
        deadlineMs: options.deadlineMs ?? DEADLINE_MS,
      }),
    ),
  });

/**
 * A statement written once, in SQL, with its types said by the caller: for the hot ones, which are CTEs of several tables,
 * compiling a builder anew for each call would cost half of their speed. Each takes its rows as one JSON parameter.
 */
export const statement =
  <Row, Parameters extends readonly unknown[]>(text: string) =>
  async (db: Database, ...parameters: Parameters): Promise<readonly Row[]> =>
    (await db.executeQuery<Row>(CompiledQuery.raw(text, [...parameters]))).rows as readonly Row[];

/** Whether Postgres answers. @throws the driver's error if not */
export const pingDatabase = async (db: Database): Promise<void> => {
  await db.executeQuery(CompiledQuery.raw("select 1"));
};
