import postgres, { type Row, type RowList, type Sql } from "postgres";
import { backoffMs } from "../runtime/backoff.ts";
import { createSlots, type Slots } from "../runtime/slots.ts";
import { databaseAddresses } from "../settings/database-addresses.ts";
import { codeOf, isAnswer, TableLocked } from "./errors.ts";
import { limitsFor } from "./limits.ts";
import { IS_TABLE_LOCKED, mayWaitForTable } from "./locked-table.ts";
import { DatabaseSilent, IsStandby, PoolBusy, PoolEnded, ServerSilent } from "./pool-errors.ts";
import { type Remedy, remedyOf } from "./remedy.ts";
import { createTableGates, NOT_BEGUN, type TableGates } from "./table-gates.ts";
import { type EncryptedAddress, encryptionOf } from "./tls.ts";
import { createUnendedStatements, type UnendedStatements } from "./unended.ts";

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

const CONNECT_TIMEOUT_S = 5;
const FIRST_BACKOFF_MS = 50;
const MAX_BACKOFF_MS = 1_000;
/** Statements in flight when the pool is closed may still finish. */
const CLOSE_TIMEOUT_S = 5;
/** Of the deadline. Not all of it: others were answered just after a statement was sent of which the server has fallen silent. */
const SILENT_SHARE = 0.8;
/** A statement is sent again at most so often: each time something else was changed. */
const MAX_ROUNDS = 5;

type Rows<Each> = RowList<(Each & Row)[]>;

/** Errors of a socket that was open. One that could not connect waits before it tries again, and is kept for that. */
const SOCKET_ENDED = new Set(["CONNECTION_CLOSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH"]);

/**
 * Whether a connection is of no more use. When the server, or a pooler, says why it ends a connection with a statement in flight, the
 * driver rejects that with the end of the socket, keeps the reason, and rejects the first statement of the next connection with it (postgres.js 3.4.9).
 */
const isSpent = (error: unknown): boolean => error instanceof DatabaseSilent || SOCKET_ENDED.has(String(codeOf(error)));

/** The server has said nothing since a connection was opened. */
const isConnectTimeout = (error: unknown): boolean => codeOf(error) === "CONNECT_TIMEOUT";

/** A pool of postgres.js with one connection: it connects at its first statement, and again when the connection is lost. */
interface Connection {
  readonly sql: Sql;
  /** All of one era lead to the same server in the same way. */
  readonly era: number;
  /** Whether the server was asked, since it was connected to, and is no standby. */
  isPrimary: boolean;
}

/**
 * Connections of postgres.js with a deadline per statement, for one server or several. The driver would wait for ever on one
 * that died silently: after the deadline the statement rejects, and new connections replace the old ones. The one that was silent is
 * closed at once: a pooler that has the statement still in its queue then never sends it to the server.
 *
 * A statement is sent when it has a connection of its own, never behind another: so its deadline begins with it, and what waits for one
 * is refused when the server is found silent. There are no more connections than `size`, those that are replaced included, while
 * Postgres ends what takes too long; where it does not, few more (`unended.ts`).
 */
export class Pool {
  readonly #options: PoolOptions;
  readonly #addresses: readonly EncryptedAddress[];
  readonly #slots: Slots;
  /** The last one that was used is used first. */
  readonly #idle: Connection[] = [];
  readonly #connections = new Set<Connection>();
  readonly #gates: TableGates = createTableGates();
  readonly #unended: UnendedStatements;
  #answeredAt = Number.NEGATIVE_INFINITY;
  #era = 0;
  #isEnded = false;
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
    this.#unended = createUnendedStatements({
      size: options.size,
      limitMs: limitsFor(options.deadlineMs).statement_timeout,
    });
  }

  /** A connection beside the pool, for a transaction. Whoever opens it ends it. */
  openBeside(): Sql {
    return this.#open();
  }

  /**
   * Runs a statement, up to the deadline. If the server refuses it for the way in which it was sent, it had no effect, and is
   * sent in another way.
   *
   * @throws {DatabaseSilent} after the deadline
   * @throws {TableLocked} if a table that it needs is locked: it had no effect
   */
  run<Each>(text: string, parameters: readonly unknown[]): Promise<Rows<Each>> {
    return this.#gates.pass(text, (mayBegin) => this.#run(text, parameters, mayBegin));
  }

  /** Whether Postgres has answered any statement, or refused it, within the last so many ms. */
  hasAnsweredWithin(ms: number): boolean {
    return performance.now() - this.#answeredAt <= ms;
  }

  #run<Each>(
    text: string,
    parameters: readonly unknown[],
    mayBegin: () => boolean,
  ): Promise<Rows<Each> | typeof NOT_BEGUN> {
    return this.#slots.run(async () => {
      if (!mayBegin()) return NOT_BEGUN;
      for (let round = 1; ; round += 1) {
        const used = this.#take();
        let since = performance.now();
        try {
          if (this.#addresses.length > 1) await this.#requirePrimary(used);
          await this.#unended.require(text, (...look) => this.#send(used.sql, ...look));
          since = performance.now();
          const rows = await this.#send<Each>(used.sql, text, parameters);
          this.#answeredAt = performance.now();
          this.#putBack(used);
          return rows;
        } catch (thrown) {
          const { error, isAsleep } = await this.#explained(thrown, used.sql, text, performance.now() - since);
          if (isAnswer(error)) this.#answeredAt = performance.now();
          if (thrown instanceof DatabaseSilent) this.#unended.note();
          // What waits for a connection would wait for as long again.
          if (error instanceof ServerSilent) this.#slots.refuseWaiting(error);
          const mayRepeat = this.#mend(used, error);
          if (isAsleep) this.#close(used, 0);
          else this.#putBack(used);
          if (!mayRepeat || round === MAX_ROUNDS) throw error;
        }
      }
    });
  }

  /**
   * Of a statement that has waited in vain: for a table, or for something else; for a server that is silent to it alone, or to all.
   * `isAsleep`: its connection no longer answers.
   */
  async #explained(
    error: unknown,
    used: Sql,
    text: string,
    waitedMs: number,
  ): Promise<{ readonly error: unknown; readonly isAsleep: boolean }> {
    const { deadlineMs } = this.#options;
    // Of several servers another one may answer.
    const isSilent = error instanceof DatabaseSilent || (isConnectTimeout(error) && this.#addresses.length === 1);
    if (isSilent && !this.hasAnsweredWithin(SILENT_SHARE * deadlineMs))
      return { error: new ServerSilent(deadlineMs), isAsleep: true };
    if (isSilent || !mayWaitForTable(error, { waitedMs, limitMs: limitsFor(deadlineMs).lock_timeout }))
      return { error, isAsleep: isSpent(error) };
    try {
      const [found] = await this.#send<{ is_locked: boolean }>(used, IS_TABLE_LOCKED, [text]);
      return { error: found?.is_locked === true ? new TableLocked({ cause: error }) : error, isAsleep: false };
    } catch (failure) {
      return { error, isAsleep: isSpent(failure) };
    }
  }

  async end(): Promise<void> {
    this.#isEnded = true;
    await Promise.all([...this.#connections].map(({ sql }) => sql.end({ timeout: CLOSE_TIMEOUT_S })));
  }

  #take(): Connection {
    if (this.#isEnded) throw new PoolEnded("the connections were closed");
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    const onclose = () => {
      opened.isPrimary = false;
    };
    const opened: Connection = { sql: this.#open(onclose), era: this.#era, isPrimary: false };
    this.#connections.add(opened);
    return opened;
  }

  #putBack(connection: Connection): void {
    if (connection.era === this.#era) this.#idle.push(connection);
    else this.#close(connection, CLOSE_TIMEOUT_S);
  }

  #close(connection: Connection, timeoutS: number): void {
    this.#connections.delete(connection);
    void connection.sql.end({ timeout: timeoutS }).catch(() => {});
  }

  /** Of several servers one may be a standby, which takes statements that only read, and answers with what it had some time ago. */
  async #requirePrimary(connection: Connection): Promise<void> {
    if (connection.isPrimary) return;
    const [answer] = await this.#send<{ is_standby: boolean }>(
      connection.sql,
      "select pg_is_in_recovery() as is_standby",
      [],
    );
    if (answer?.is_standby === true) throw new IsStandby("the server is a standby");
    connection.isPrimary = true;
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
  #mend(used: Connection, error: unknown): boolean {
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

  /** Several statements may find the connections of the same era at fault. */
  #replace(used: Connection): void {
    if (this.#era !== used.era) return;
    this.#replacedAt = performance.now();
    this.#address += 1;
    this.#era += 1;
    for (const idle of this.#idle.splice(0)) this.#close(idle, CLOSE_TIMEOUT_S);
  }

  #open(onclose = () => {}): Sql {
    const { applicationName, deadlineMs } = this.#options;
    const limits = this.#takesLimits && Number.isFinite(deadlineMs) ? limitsFor(deadlineMs) : {};
    const { url, ...encryption } = this.#addresses[this.#address % this.#addresses.length] ?? {
      url: this.#options.url,
    };
    return postgres(url, {
      ...encryption,
      max: 1,
      connect_timeout: CONNECT_TIMEOUT_S,
      // The default grows to 20 s, long after the database is available again.
      backoff: (failures) => backoffMs(failures + 1, FIRST_BACKOFF_MS, MAX_BACKOFF_MS, Math.random) / 1_000,
      connection: { application_name: applicationName, ...limits },
      onnotice: () => {},
      onclose,
      // No parameter or column is an array. The driver's query for them would reject unhandled, and end the process, if the
      // connection died in it; and it costs each new connection a round trip.
      fetch_types: false,
    });
  }
}
