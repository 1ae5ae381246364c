import postgres, { type Sql } from "postgres";
import { backoffMs } from "../runtime/backoff.ts";

export interface PoolOptions {
  readonly url: string;
  /** Maximum connections. */
  readonly size: number;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  /** Time limit of a statement in ms; Infinity: none. After it the effect is unknown. */
  readonly deadlineMs: number;
}

/** Postgres did not answer in time. The statement may have had its effect. */
export class DatabaseSilent extends Error {
  override readonly name = "DatabaseSilent";
  readonly code = "ETIMEDOUT";

  constructor(deadlineMs: number) {
    super(`Postgres did not answer within ${deadlineMs} ms`);
  }
}

const CONNECT_TIMEOUT_S = 5;
const FIRST_BACKOFF_MS = 50;
const MAX_BACKOFF_MS = 1_000;
/** Statements in flight on a pool that is replaced may still finish. */
const CLOSE_TIMEOUT_S = 5;

/**
 * postgres.js' pool with a deadline per statement. The driver would wait for ever on a connection that died silently: after
 * the deadline the statement rejects, and a new pool replaces the old one.
 */
export class Pool {
  readonly #options: PoolOptions;
  #sql: Sql;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#sql = this.#open();
  }

  /** The current pool. */
  get sql(): Sql {
    return this.#sql;
  }

  /**
   * Waits for a statement, up to the deadline.
   *
   * @throws {DatabaseSilent} after the deadline
   */
  async watch<Result>(statement: Promise<Result>): Promise<Result> {
    const { deadlineMs } = this.#options;
    if (!Number.isFinite(deadlineMs)) return statement;
    const usedPool = this.#sql;
    const { promise: overdue, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      reject(new DatabaseSilent(deadlineMs));
      if (this.#sql === usedPool) this.#replace();
    }, deadlineMs);
    try {
      return await Promise.race([statement, overdue]);
    } finally {
      clearTimeout(timer);
    }
  }

  async end(): Promise<void> {
    await this.#sql.end({ timeout: CLOSE_TIMEOUT_S });
  }

  #replace(): void {
    const old = this.#sql;
    this.#sql = this.#open();
    void old.end({ timeout: CLOSE_TIMEOUT_S }).catch(() => {});
  }

  #open(): Sql {
    const { url, size, applicationName } = this.#options;
    return postgres(url, {
      max: size,
      connect_timeout: CONNECT_TIMEOUT_S,
      // The default grows to 20 s, long after the database is available again.
      backoff: (failures) => backoffMs(failures + 1, FIRST_BACKOFF_MS, MAX_BACKOFF_MS, Math.random) / 1_000,
      connection: { application_name: applicationName },
      onnotice: () => {},
      // No parameter or column is an array. The driver's query for them would reject unhandled, and end the process, if the
      // connection died in it; and it costs each new connection a round trip.
      fetch_types: false,
    });
  }
}
