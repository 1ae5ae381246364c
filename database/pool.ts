import postgres, { type Sql } from "postgres";
import { backoffMs } from "../runtime/backoff.ts";
import { createSlots, type Slots } from "../runtime/slots.ts";
import { databaseAddresses } from "../settings/database-addresses.ts";
import { codeOf, isAnswer, TableLocked } from "./errors.ts";
import { limitsFor, sessionSettings } from "./limits.ts";
import { IS_TABLE_LOCKED, mayWaitForTable } from "./locked-table.ts";
import { DatabaseSilent, PoolBusy, PoolEnded, ServerSilent } from "./pool-errors.ts";
import { PooledConnection, type Rows, type Sending, type StatementOptions } from "./pooled-connection.ts";
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
/** How times are written, which a database or a role may want otherwise: the driver reads no other way. Poolers know this setting. */
const DATE_STYLE = "ISO";
/** Statements in flight when the pool is closed may still finish. */
const CLOSE_TIMEOUT_S = 5;
/** Of the deadline. Not all of it: others were answered just after a statement was sent of which the server has fallen silent. */
const SILENT_SHARE = 0.8;
/** A statement is sent again at most so often: each time something else was changed. */
const MAX_ROUNDS = 5;
/** Statements of a connection, one in work and one behind it: Postgres begins it when the other is done, without a turn of ours in between. */
const MAX_PIPELINED = 2;

/** Errors of a socket that was open. One that could not connect waits before it tries again, and is kept for that. */
const SOCKET_ENDED = new Set(["CONNECTION_CLOSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH"]);

/**
 * Whether a connection is of no more use. When the server, or a pooler, says why it ends a connection with a statement in flight, the
 * driver rejects that with the end of the socket, keeps the reason, and rejects the first statement of the next connection with it (postgres.js 3.4.9).
 */
const isSpent = (error: unknown): boolean => error instanceof DatabaseSilent || SOCKET_ENDED.has(String(codeOf(error)));

/** The server has said nothing since a connection was opened. */
const isConnectTimeout = (error: unknown): boolean => codeOf(error) === "CONNECT_TIMEOUT";

/**
 * Connections of postgres.js with a deadline per statement, for one server or several. The driver would wait for ever on one
 * that died silently: after the deadline the statement rejects, and new connections replace the old ones. The one that was silent is
 * closed at once: a pooler that has the statement still in its queue then never sends it to the server.
 *
 * A statement is sent when it has a connection: one of its own, or, if it may be pipelined, behind one of the same text. So its deadline begins
 * with it, and what waits for a connection is refused when the server is found silent. There are no more connections than `size`, those that are
 * replaced included, while Postgres ends what takes too long; where it does not, few more (`unended.ts`).
 */
export class Pool {
  readonly #options: PoolOptions;
  readonly #addresses: readonly EncryptedAddress[];
  readonly #slots: Slots;
  /** The last one that was used is used first. */
  readonly #idle: PooledConnection[] = [];
  readonly #connections = new Set<PooledConnection>();
  /** By text: the one that has a statement which another may follow. */
  readonly #pipelines = new Map<string, PooledConnection>();
  readonly #gates: TableGates = createTableGates();
  readonly #unended: UnendedStatements;
  #answeredAt = Number.NEGATIVE_INFINITY;
  #era = 0;
  #isEnded = false;
  #address = 0;
  #isPrepared = true;
  #takesSettings = true;
  #replacedAt = Number.NEGATIVE_INFINITY;
  /** When a new connection met what an old one is renewed for. */
  #missedAt = Number.NEGATIVE_INFINITY;

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
  openBeside(onclose: () => void): Sql {
    return this.#open(onclose);
  }

  /**
   * Runs a statement, up to the deadline. If the server refuses it for the way in which it was sent, it had no effect, and is
   * sent in another way.
   *
   * @throws {DatabaseSilent} after the deadline
   * @throws {TableLocked} if a table that it needs is locked: it had no effect
   */
  run<Each>(text: string, parameters: readonly unknown[], options: StatementOptions = {}): Promise<Rows<Each>> {
    return this.#gates.pass(text, (mayBegin) => this.#run(text, parameters, options, mayBegin));
  }

  /** Whether Postgres has answered any statement, or refused it, within the last so many ms. */
  hasAnsweredWithin(ms: number): boolean {
    return performance.now() - this.#answeredAt <= ms;
  }

  async #run<Each>(
    text: string,
    parameters: readonly unknown[],
    { isPipelined = false }: StatementOptions,
    mayBegin: () => boolean,
  ): Promise<Rows<Each> | typeof NOT_BEGUN> {
    let isRenewed = false;
    for (let round = 1; ; round += 1) {
      const ahead: PooledConnection | undefined = isPipelined && !isRenewed ? this.#join(text) : undefined;
      const used: PooledConnection = ahead ?? (await this.#take(isRenewed));
      let since = performance.now();
      try {
        if (round === 1 && !mayBegin()) return NOT_BEGUN;
        if (ahead === undefined) {
          if (this.#addresses.length > 1) await used.requirePrimary(this.#sending());
          if (isPipelined) await used.learnWhetherDirect(this.#sending());
          await this.#unended.require(text, isPipelined, (...look) => this.#send(used, ...look));
          since = performance.now();
          if (isPipelined && used.mayBeFollowed(text) && !this.#unended.isPossible()) this.#pipelines.set(text, used);
        }
        const rows = await this.#send<Each>(used, text, parameters);
        this.#answeredAt = performance.now();
        return rows;
      } catch (thrown) {
        // Another one would meet the same, after the one that follows already.
        this.#part(used);
        const { error, isAsleep } = await this.#explained(thrown, used, text, performance.now() - since);
        if (isAnswer(error)) this.#answeredAt = performance.now();
        if (thrown instanceof DatabaseSilent) this.#unended.note();
        // What waits for a connection would wait for as long again.
        if (error instanceof ServerSilent) this.#slots.refuseWaiting(error);
        const mayRepeat = this.#mend(used, error);
        isRenewed = used.isSpent;
        if (isAsleep) this.#close(used, 0);
        if (!mayRepeat || round === MAX_ROUNDS) throw error;
      } finally {
        this.#leave(used);
      }
    }
  }

  /**
   * Of a statement that has waited in vain: for a table, or for something else; for a server that is silent to it alone, or to all.
   * `isAsleep`: its connection no longer answers.
   */
  async #explained(
    error: unknown,
    used: PooledConnection,
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
      const isTableLocked = await this.#isTableLocked(text, used);
      return { error: isTableLocked ? new TableLocked({ cause: error }) : error, isAsleep: false };
    } catch (failure) {
      return { error, isAsleep: isSpent(failure) };
    }
  }

  /** Another statement on the same connection may wait for the same table by now: then the question has one of its own. */
  async #isTableLocked(text: string, used: PooledConnection): Promise<boolean> {
    const asked = used.users === 1 ? used : await this.#take();
    try {
      const [found] = await this.#send<{ is_locked: boolean }>(asked, IS_TABLE_LOCKED, [text]);
      return found?.is_locked === true;
    } finally {
      if (asked !== used) this.#leave(asked);
    }
  }

  async end(): Promise<void> {
    this.#isEnded = true;
    await Promise.all([...this.#connections].map((connection) => connection.end(CLOSE_TIMEOUT_S)));
  }

  /** A connection for one statement, once there is a turn for it. `isNew`: those that are open may be as old as one that had to be renewed. */
  async #take(isNew = false): Promise<PooledConnection> {
    const turn = await this.#slots.begin();
    try {
      if (this.#isEnded) throw new PoolEnded("the connections were closed");
      if (isNew && this.#connections.size >= this.#options.size) this.#closeIdle();
      const idle = isNew ? undefined : this.#idle.pop();
      const taken = idle ?? new PooledConnection((onclose) => this.#open(onclose), this.#era);
      this.#connections.add(taken);
      taken.turn = turn;
      taken.users = 1;
      return taken;
    } catch (error) {
      turn.end();
      throw error;
    }
  }

  /** The connection on which one of the same text is under way, if a statement may follow it there. */
  #join(text: string): PooledConnection | undefined {
    const ahead = this.#pipelines.get(text);
    if (ahead === undefined || ahead.users >= MAX_PIPELINED) return undefined;
    ahead.users += 1;
    return ahead;
  }

  #leave(used: PooledConnection): void {
    used.users -= 1;
    if (used.users > 0) return;
    this.#part(used);
    if (used.era !== this.#era || used.isSpent) this.#close(used, CLOSE_TIMEOUT_S);
    else if (this.#connections.has(used)) this.#idle.push(used);
    used.turn?.end();
  }

  /** Nothing follows what a connection has. */
  #part(connection: PooledConnection): void {
    for (const [text, each] of this.#pipelines) if (each === connection) this.#pipelines.delete(text);
  }

  #closeIdle(): void {
    const oldest = this.#idle.shift();
    if (oldest !== undefined) this.#close(oldest, CLOSE_TIMEOUT_S);
  }

  #close(connection: PooledConnection, timeoutS: number): void {
    this.#part(connection);
    if (!this.#connections.delete(connection)) return;
    void connection.end(timeoutS).catch(() => {});
  }

  #sending(): Sending {
    return { isPrepared: this.#isPrepared, deadlineMs: this.#options.deadlineMs };
  }

  #send<Each>(used: PooledConnection, text: string, parameters: readonly unknown[]): Promise<Rows<Each>> {
    return used.send(text, parameters, this.#sending());
  }

  /** Learns from a failure. True if the statement had no effect, and may succeed now. */
  #mend(used: PooledConnection, error: unknown): boolean {
    const remedy: Remedy = remedyOf(error, { servers: this.#addresses.length });
    switch (remedy) {
      case "none":
        return false;
      case "unnamed":
        this.#isPrepared = false;
        return true;
      case "without-settings":
        this.#takesSettings = false;
        this.#replace(used);
        return true;
      case "next-server":
        this.#replace(used);
        return true;
      case "reconnect":
        // A server that stays read-only would else be connected to again by each statement.
        if (performance.now() - this.#replacedAt >= MAX_BACKOFF_MS) this.#replace(used);
        return false;
      case "renew":
        // What is really missing would else cost each statement a connection.
        if (performance.now() - used.openedAt < MAX_BACKOFF_MS) this.#missedAt = performance.now();
        else used.isSpent = performance.now() - this.#missedAt >= MAX_BACKOFF_MS;
        return used.isSpent;
    }
  }

  /** Several statements may find the connections of the same era at fault. */
  #replace(used: PooledConnection): void {
    if (this.#era !== used.era) return;
    this.#replacedAt = performance.now();
    this.#address += 1;
    this.#era += 1;
    this.#pipelines.clear();
    for (const idle of this.#idle.splice(0)) this.#close(idle, CLOSE_TIMEOUT_S);
  }

  #open(onclose = () => {}): Sql {
    const { applicationName, deadlineMs } = this.#options;
    const settings = this.#takesSettings ? sessionSettings(deadlineMs) : {};
    const { url, ...encryption } = this.#addresses[this.#address % this.#addresses.length] ?? {
      url: this.#options.url,
    };
    return postgres(url, {
      ...encryption,
      max: 1,
      connect_timeout: CONNECT_TIMEOUT_S,
      // The default grows to 20 s, long after the database is available again.
      backoff: (failures) => backoffMs(failures + 1, FIRST_BACKOFF_MS, MAX_BACKOFF_MS, Math.random) / 1_000,
      connection: { application_name: applicationName, DateStyle: DATE_STYLE, ...settings },
      onnotice: () => {},
      onclose,
      // No parameter or column is an array. The driver's query for them would reject unhandled, and end the process, if the
      // connection died in it; and it costs each new connection a round trip.
      fetch_types: false,
    });
  }
}
