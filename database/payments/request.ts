import type { Database } from "../connection.ts";
import { type BoundGroup, type EventRow, type NewEvent, SQL_EVENT_ROW, sqlWriteEvents, toEventRow } from "../events.ts";
import { sqlLockTimeout } from "../lock-timeout.ts";
import { createSharedWriter, type Writing } from "../shared-write.ts";
import { writingStatement } from "../writing-statement.ts";
import { findTransactions, type Transaction } from "./transactions.ts";

/** A debit that a client asks for. Checked before it comes here. */
export interface NewPayment {
  readonly transactionId: string;
  readonly userId: string;
  readonly currency: string;
  /** In minor units, above 0. */
  readonly amount: bigint;
  /** What tells of it: `payment.requested.v1`. */
  readonly event: NewEvent;
}

export type PaymentResult =
  /** Made by this very request. */
  | { readonly kind: "created"; readonly createdAt: Date }
  /** An earlier request made it; whether it asked for the same is for the caller to compare. */
  | { readonly kind: "exists"; readonly transaction: Transaction };

export interface PaymentWriter {
  /**
   * Writes transaction, event, deliveries and outbox row, or nothing. Requests that arrive while a statement runs share the
   * next.
   *
   * @throws the driver's error if the database is away or refuses this very row; never for another one's fault
   */
  write(payment: NewPayment): Promise<PaymentResult>;
  /** Resolves when nothing is waiting or in flight. */
  idle(): Promise<void>;
}

interface InputRow extends EventRow {
  readonly transaction_id: string;
  readonly user_id: string;
  readonly currency: string;
  readonly amount: string;
}

/** The primary key decides which request makes a transaction, also within one batch; sorted, so that batches queue up. */
const insertPayments = (bindings: readonly BoundGroup[]) =>
  writingStatement<{ event_id: string; created_at: Date }, InputRow>(`
  with input as (
    select * from json_to_recordset($1::json) as row (transaction_id text, user_id uuid, currency text, amount bigint,
      ${SQL_EVENT_ROW})
    where ${sqlLockTimeout("$2")}),
  new_transactions as (
    insert into transactions (transaction_id, event_id, user_id, currency, amount)
    select transaction_id, event_id, user_id, currency, amount from input order by transaction_id
    on conflict do nothing
    returning event_id, created_at),
  made as (
    select input.* from input join new_transactions using (event_id)),${sqlWriteEvents("made", bindings)}
  select event_id, created_at from new_transactions`);

const toRow = ({ transactionId, userId, currency, amount, event }: NewPayment): InputRow => ({
  transaction_id: transactionId,
  user_id: userId,
  currency,
  amount: String(amount),
  ...toEventRow(event),
});

const writeBatch = async (
  db: Database,
  insert: ReturnType<typeof insertPayments>,
  rows: readonly InputRow[],
  how: Writing,
  settle: (row: InputRow, result: PaymentResult) => void,
  fail: (row: InputRow, error: unknown) => void,
): Promise<void> => {
  const made = new Map((await insert(db, rows, how)).map((row) => [row.event_id, row.created_at]));
  const left = rows.filter((row) => {
    const createdAt = made.get(row.event_id);
    if (createdAt !== undefined) settle(row, { kind: "created", createdAt });
    return createdAt === undefined;
  });
  if (left.length === 0) return;
  const ids = left.map((row) => row.transaction_id);
  const existing = await findTransactions(db, ids);
  for (const row of left) {
    const transaction = existing.get(row.transaction_id);
    if (transaction !== undefined) settle(row, { kind: "exists", transaction });
    else fail(row, new Error(`the transaction ${row.transaction_id} was neither made nor found`));
  }
};

/** `bindings`: the groups that get a delivery of a payment. */
export const createPaymentWriter = (db: Database, bindings: readonly BoundGroup[]): PaymentWriter => {
  const insert = insertPayments(bindings);
  const writer = createSharedWriter<InputRow, PaymentResult>({
    keysOf: (row) => [row.transaction_id],
    write: (...call) => writeBatch(db, insert, ...call),
  });
  return {
    write: (payment) => writer.write(toRow(payment)),
    idle: () => writer.idle(),
  };
};
