import postgres, { type Row, type RowList, type Sql } from "postgres";
import { backoffMs } from "../runtime/backoff.ts";
import { createSlots, type Slots } from "../runtime/slots.ts";
import { databaseAddresses } from "../settings/database-addresses.ts";
import { limitsFor } from "./limits.ts";
import { type Remedy, remedyOf } from "./remedy.ts";
import { type EncryptedAddress, encryptionOf } from "./tls.ts";

export interface PoolOptions {
  /** May name several servers, of which one takes writes. */
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

/** Every connection was in use for too long. The statement was not sent. */
class PoolBusy extends Error {
  override readonly name = "PoolBusy";
  /** SQLSTATE too_many_connections. */
  readonly code = "53300";
}

const CONNECT_TIMEOUT_S = 5;
const FIRST_BACKOFF_MS = 50;
const MAX_BACKOFF_MS = 1_000;
/** Statements in flight on a pool that is replaced may still finish. */
const CLOSE_TIMEOUT_S = 5;
/** A statement is sent again at most so often: each time something else was changed. */
const MAX_ROUNDS = 5;

type Rows<Each> = RowList<(Each & Row)[]>;

/**
 * postgres.js' pool with a deadline per statement, for one server or several. The driver would wait for ever on a connection
 * that died silently: after the deadline the statement rejects, and a new pool replaces the old one.
 *
 * A statement is sent when it has a connection of its own, never behind another: so its deadline begins with it, and there
 * are no more connections than `size`, those of a replaced pool included, for as long as Postgres keeps its limits.
 */
export class Pool {
  readonly #options: PoolOptions;
  readonly #addresses: readonly EncryptedAddress[];
  readonly #slots: Slots;
  #sql: Sql;
  #address = 0;
  #isPrepared = true;
  #takesLimits = true;
  #replacedAt = Number.NEGATIVE_INFINITY;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#addresses = databaseAddresses(options.url).map(encryptionOf);
    this.#slots = createSlots({
      size: options.size,
      maxWaitMs: options.deadlineMs,
      onFull: () => new PoolBusy(`all ${options.size} connections are in use`),
    });
    this.#sql = this.#open();
  }

  /** The current pool, for transactions. */
  get sql(): Sql {
    return this.#sql;
  }

  /**
   * Runs a statement, up to the deadline. If the server refuses it for the way in which it was sent, it had no effect, and is
   * sent in another way.
   *
   * @throws {DatabaseSilent} after the deadline
   */
  run<Each>(text: string, parameters: readonly unknown[]): Promise<Rows<Each>> {
    return this.#slots.run(async () => {
      for (let round = 1; ; round += 1) {
        const used = this.#sql;
        try {
          return await this.#send<Each>(used, text, parameters);
        } catch (error) {
          if (!this.#mend(used, error) || round === MAX_ROUNDS) throw error;
        }
      }
    });
  }

  async end(): Promise<void> {
    await this.#sql.end({ timeout: CLOSE_TIMEOUT_S });
  }

  async #send<Each>(used: Sql, text: string, parameters: readonly unknown[]): Promise<Rows<Each>> {
    const { deadlineMs } = this.#options;
    const statement = used.unsafe<(Each & Row)[]>(text, [...parameters] as never[], { prepare: this.#isPrepared });
    if (!Number.isFinite(deadlineMs)) return statement;
    const { promise: overdue, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new DatabaseSilent(deadlineMs)), deadlineMs);
    try {
      return await Promise.race([statement, overdue]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Learns from a failure. True if the statement had no effect, and may succeed now. */
  #mend(used: Sql, error: unknown): boolean {
    const remedy: Remedy = remedyOf(error, { servers: this.#addresses.length });
    switch (remedy) {
      case "none":
        return false;
      case "unnamed":
        this.#isPrepared = false;
        return true;
      case "without-limits":
        this.#takesLimits = false;
        this.#replace(used);
        return true;
      case "next-server":
        this.#replace(used);
        return true;
      case "reconnect":
        // A server that stays read-only would else be connected to again by each statement.
        if (performance.now() - this.#replacedAt >= MAX_BACKOFF_MS) this.#replace(used);
        return false;
    }
  }

  /** Several statements may find the same pool at fault. */
  #replace(used: Sql): void {
    if (this.#sql !== used) return;
    this.#replacedAt = performance.now();
    this.#address += 1;
    this.#sql = this.#open();
    void used.end({ timeout: CLOSE_TIMEOUT_S }).catch(() => {});
  }

  #open(): Sql {
    const { size, applicationName, deadlineMs } = this.#options;
    const limits = this.#takesLimits && Number.isFinite(deadlineMs) ? limitsFor(deadlineMs) : {};
    const { url, ...encryption } = this.#addresses[this.#address % this.#addresses.length] ?? {
      url: this.#options.url,
    };
    return postgres(url, {
      ...encryption,
      max: size,
      connect_timeout: CONNECT_TIMEOUT_S,
      // The default grows to 20 s, long after the database is available again.
      backoff: (failures) => backoffMs(failures + 1, FIRST_BACKOFF_MS, MAX_BACKOFF_MS, Math.random) / 1_000,
      connection: { application_name: applicationName, ...limits },
      onnotice: () => {},
      // No parameter or column is an array. The driver's query for them would reject unhandled, and end the process, if the
      // connection died in it; and it costs each new connection a round trip.
      fetch_types: false,
    });
  }
}
