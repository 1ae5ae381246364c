import postgres, { type Sql } from "postgres";
import { backoffMs } from "../runtime/backoff.ts";

export interface PoolOptions {
  readonly url: string;
  /** Connections at the most. */
  readonly size: number;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  /** A statement that takes longer is given up, in ms; Infinity: never. Its effect is then unknown. */
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
/** What is under way on a pool that is given up may still finish. */
const FAREWELL_S = 5;

/**
 * postgres.js' pool, watched. A connection that died silently never answers, and the driver would wait for ever: when a
 * statement's deadline is over its caller is told, and a new pool takes the place of the old one.
 */
export class Pool {
  readonly #options: PoolOptions;
  #sql: Sql;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#sql = this.#open();
  }

  /** The pool as it is now. */
  get sql(): Sql {
    return this.#sql;
  }

  /**
   * Waits for a statement, up to the deadline.
   *
   * @throws {DatabaseSilent} when it is over
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
    await this.#sql.end({ timeout: FAREWELL_S });
  }

  #replace(): void {
    const old = this.#sql;
    this.#sql = this.#open();
    void old.end({ timeout: FAREWELL_S }).catch(() => {});
  }

  #open(): Sql {
    const { url, size, applicationName } = this.#options;
    return postgres(url, {
      max: size,
      connect_timeout: CONNECT_TIMEOUT_S,
      // The default grows to 20 s: the database would be back long before us.
      backoff: (failures) => backoffMs(failures + 1, FIRST_BACKOFF_MS, MAX_BACKOFF_MS, Math.random) / 1_000,
      connection: { application_name: applicationName },
      onnotice: () => {},
    });
  }
}
