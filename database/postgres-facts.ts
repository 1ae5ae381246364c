import { type Database, statement } from "./connection.ts";
import { MIGRATIONS } from "./migrations/index.ts";

/** What decides whether a Postgres keeps this service's promises. */
export interface PostgresFacts {
  readonly version: string;
  readonly majorVersion: number;
  /** `on`, `off`, `local`, ...: with `off` a commit may be lost with the server. */
  readonly synchronousCommit: string;
  readonly fsync: string;
  /** A replica: it refuses writes. */
  readonly isStandby: boolean;
  readonly isReadOnly: boolean;
  /** Its own time limit for our statements; `0`: none. */
  readonly statementTimeout: string;
  /** Whether it hides rows from us where row level security is on, and refuses nothing. */
  readonly mayHideRows: boolean;
  /** ms since 1970, by its clock. */
  readonly clockMs: number;
}

interface FactsRow {
  readonly version: string;
  readonly version_num: number;
  readonly synchronous_commit: string;
  readonly fsync: string;
  readonly is_standby: boolean;
  readonly read_only: string;
  readonly statement_timeout: string;
  readonly row_security: string;
  readonly clock_ms: number;
}

const facts = statement<FactsRow, []>(`
  select current_setting('server_version') as version, current_setting('server_version_num')::int as version_num,
    current_setting('synchronous_commit') as synchronous_commit, current_setting('fsync') as fsync,
    pg_is_in_recovery() as is_standby, current_setting('transaction_read_only') as read_only,
    current_setting('statement_timeout') as statement_timeout, current_setting('row_security') as row_security,
    extract(epoch from clock_timestamp())::float8 * 1000 as clock_ms`);

/** Reads the facts of a server. */
export const readPostgresFacts = async (db: Database): Promise<PostgresFacts> => {
  const [row] = await facts(db);
  if (row === undefined) throw new Error("Postgres returned no facts");
  return {
    version: row.version,
    majorVersion: Math.floor(row.version_num / 10_000),
    synchronousCommit: row.synchronous_commit,
    fsync: row.fsync,
    isStandby: row.is_standby,
    isReadOnly: row.read_only === "on",
    statementTimeout: row.statement_timeout,
    mayHideRows: row.row_security !== "off",
    clockMs: row.clock_ms,
  };
};

const applied = statement<{ name: string }, []>("select name from kysely_migration order by name");
const isTableMissing = (error: unknown): boolean =>
  typeof error === "object" && error !== null && "code" in error && error.code === "42P01";

/** Names of the migrations that are not applied yet. */
export const findPendingMigrations = async (db: Database): Promise<readonly string[]> => {
  const done = await applied(db).catch((error: unknown) => {
    if (isTableMissing(error)) return [];
    throw error;
  });
  const names = new Set(done.map((row) => row.name));
  return Object.keys(MIGRATIONS).filter((name) => !names.has(name));
};
