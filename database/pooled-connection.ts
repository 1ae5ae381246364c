import type { Row, RowList, Sql } from "postgres";
import type { Turn } from "../runtime/slots.ts";
import { DatabaseSilent } from "./pool-errors.ts";

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
  /** Whether the server was asked, since it was connected to, and is no standby. */
  isPrimary = false;
  /** Of its users: the last one to leave ends it. */
  turn: Turn | undefined;
  users = 0;
  readonly #sql: Sql;
  /** Resolves when what was sent last is answered. */
  #ahead: Promise<void> | undefined;

  constructor(open: (onclose: () => void) => Sql, era: number) {
    this.era = era;
    this.#sql = open(() => {
      this.isPrimary = false;
    });
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
    this.#ahead = statement.then(ignore, ignore);
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

  /** Statements that wait for an answer have so long for it. */
  async end(timeoutS: number): Promise<void> {
    await this.#sql.end({ timeout: timeoutS });
  }
}
