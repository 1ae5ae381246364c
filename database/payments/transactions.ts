import { type Database, statement } from "../connection.ts";

/** A debit that was asked for, and what became of it. */
export interface Transaction {
  readonly transactionId: string;
  readonly eventId: string;
  readonly userId: string;
  /** ISO 4217 */
  readonly currency: string;
  /** In minor units. */
  readonly amount: bigint;
  readonly status: "queued" | "completed" | "rejected";
  readonly reason: "insufficient_funds" | "no_such_account" | null;
  readonly createdAt: Date;
  readonly settledAt: Date | null;
}

interface TransactionRow {
  readonly transaction_id: string;
  readonly event_id: string;
  readonly user_id: string;
  readonly currency: string;
  readonly amount: string;
  readonly status: Transaction["status"];
  readonly reason: Transaction["reason"];
  readonly created_at: Date;
  readonly settled_at: Date | null;
}

const find = statement<TransactionRow, [readonly string[]]>(`
  select * from transactions where transaction_id in (select value from json_array_elements_text($1::json))`);

/** Looks transactions up, one statement for all; ids of which there is none are missing in the answer. */
export const findTransactions = async (db: Database, ids: readonly string[]): Promise<Map<string, Transaction>> =>
  new Map(
    (await find(db, ids)).map((row) => [
      row.transaction_id,
      {
        transactionId: row.transaction_id,
        eventId: row.event_id,
        userId: row.user_id,
        currency: row.currency,
        amount: BigInt(row.amount),
        status: row.status,
        reason: row.reason,
        createdAt: row.created_at,
        settledAt: row.settled_at,
      },
    ]),
  );
