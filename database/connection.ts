import { CompiledQuery, Kysely } from "kysely";
import postgres from "postgres";
import { postgresDialect } from "./postgres-dialect.ts";
import type { Schema } from "./schema.ts";

export type Database = Kysely<Schema>;

export interface DatabaseOptions {
  readonly url: string;
  /** Connections at the most. */
  readonly poolSize: number;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
}

const CONNECT_TIMEOUT_S = 5;
const MAX_BACKOFF_S = 1;

/**
 * Opens a pool. No connection is made before the first query, and none is given up for good: after an outage the next
 * query connects again, at the latest one second after the server is back.
 */
export const openDatabase = ({ url, poolSize, applicationName }: DatabaseOptions): Database =>
  new Kysely<Schema>({
    dialect: postgresDialect(
      postgres(url, {
        max: poolSize,
        connect_timeout: CONNECT_TIMEOUT_S,
        // The default grows to 20 s: the database would be back long before us.
        backoff: (attempt) => Math.min(MAX_BACKOFF_S, 0.05 * 2 ** attempt) * (0.5 + Math.random() / 2),
        connection: { application_name: applicationName },
        onnotice: () => {},
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
