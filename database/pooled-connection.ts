import type { Row, RowList, Sql } from "postgres";
import type { Turn } from "../runtime/slots.ts";
import { DatabaseSilent, IsStandby } from "./pool-errors.ts";

export type Rows<Each> = RowList<(Each & Row)[]>;

/** How a statement is sent. */
export interface StatementOptions {
  /** Whether it may wait behind another one of the same text for its answer: only what soon gives up waiting for a lock. */
  readonly isPipelined?: boolean;
}

export interface Sending {
  readonly isPrepared: boolean;
  /** Time limit of a statement in ms; Infinity: none. */
  readonly deadlineMs: number;
}

const ignore = (): void => {};

/** A pool of postgres.js with one connection: it connects at its first statement, and again when the connection is lost. */
export class PooledConnection {
  /** All of one era lead to the same server in the same way. */
  readonly era: number;
  /** Of its users: the last one to leave ends it. */
  turn: Turn | undefined;
  users = 0;
  /** Whether the last one to leave closes it. */
  isSpent = false;
  readonly openedAt = performance.now();
  readonly #sql: Sql;
  /** Whether the server was asked, since it was connected to, and is no standby. */
  #isPrimary = false;
  /** Whether it leads to the server itself, and not to a pooler; undefined: the server was not asked since it was connected to. */
  #isDirect: boolean | undefined;
  /** Resolves when what was sent last is answered. */
  #ahead: Promise<void> | undefined;
  /** Texts that it has answered since it was connected to: the driver need not describe them first. */
  readonly #known = new Set<string>();

  constructor(open: (onclose: () => void) => Sql, era: number) {
    this.era = era;
    this.#sql = open(() => {
      this.#isPrimary = false;
      this.#isDirect = undefined;
      this.#known.clear();
    });
  }

  /**
   * Whether a statement may be sent behind one with this text. Not while the driver describes that first: it keeps what follows, and leaves a connection behind if
   * this one dies. Not through a pooler: a named statement that the next server does not know is sent again by the driver, and answers would be taken for
   * each other's (postgres.js 3.4.9).
   */
  mayBeFollowed(text: string): boolean {
    return this.#isDirect === true && this.#known.has(text);
  }

  /**
   * Sends a statement at once. The server takes what it is sent in turn, so the time of one begins when those ahead of it are answered.
   *
   * @throws {DatabaseSilent} after the deadline
   */
  async send<Each>(
    text: string,
    parameters: readonly unknown[],
    { isPrepared, deadlineMs }: Sending,
  ): Promise<Rows<Each>> {
    const statement = this.#sql.unsafe<(Each & Row)[]>(text, [...parameters] as never[], { prepare: isPrepared });
    const ahead = this.#ahead;
    this.#ahead = statement.then(() => void this.#known.add(text), ignore);
    if (!Number.isFinite(deadlineMs)) return statement;
    if (ahead !== undefined) await ahead;
    const { promise: overdue, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new DatabaseSilent(deadlineMs)), deadlineMs);
    try {
      return await Promise.race([statement, overdue]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Of several servers one may be a standby, which takes statements that only read, and answers with what it had some time ago. */
  async requirePrimary(how: Sending): Promise<void> {
    if (this.#isPrimary) return;
    const [answer] = await this.send<{ is_standby: boolean }>("select pg_is_in_recovery() as is_standby", [], how);
    if (answer?.is_standby === true) throw new IsStandby("the server is a standby");
    this.#isPrimary = true;
  }

  /** A pooler names a process of its own invention when it is connected to; the driver keeps that. */
  async learnWhetherDirect(how: Sending): Promise<void> {
    if (this.#isDirect !== undefined) return;
    const answer = await this.send<{ pid: number }>("select pg_backend_pid() as pid", [], how);
    this.#isDirect = answer[0]?.pid === answer.state.pid;
  }

  /** Statements that wait for an answer have so long for it. */
  async end(timeoutS: number): Promise<void> {
    await this.#sql.end({ timeout: timeoutS });
  }
}
