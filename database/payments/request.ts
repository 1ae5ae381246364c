import { createBatcher } from "../../runtime/batcher.ts";
import { type Database, statement } from "../connection.ts";
import { databaseFault } from "../errors.ts";
import { type BoundGroup, type EventRow, type NewEvent, SQL_EVENT_ROW, sqlWriteEvents, toEventRow } from "../events.ts";
import { wholeOrEach } from "../whole-or-each.ts";
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
  statement<{ event_id: string; created_at: Date }, [readonly InputRow[]]>(`
  with input as (
    select * from json_to_recordset($1::json) as row (transaction_id text, user_id uuid, currency text, amount bigint,
      ${SQL_EVENT_ROW})),
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

type Settled = { readonly result: PaymentResult } | { readonly error: unknown };

const writeBatch = async (
  db: Database,
  insert: ReturnType<typeof insertPayments>,
  rows: readonly InputRow[],
): Promise<readonly Settled[]> => {
  const made = new Map((await insert(db, rows)).map((row) => [row.event_id, row.created_at]));
  const left = rows.filter((row) => !made.has(row.event_id)).map((row) => row.transaction_id);
  const existing = left.length === 0 ? new Map<string, Transaction>() : await findTransactions(db, left);
  return rows.map((row): Settled => {
    const createdAt = made.get(row.event_id);
    if (createdAt !== undefined) return { result: { kind: "created", createdAt } };
    const transaction = existing.get(row.transaction_id);
    return transaction === undefined
      ? { error: new Error(`the transaction ${row.transaction_id} was neither made nor found`) }
      : { result: { kind: "exists", transaction } };
  });
};

const MAX_BATCH = 128;
const MAX_IN_FLIGHT = 2;

/** `bindings`: the groups that get a delivery of a payment. */
export const createPaymentWriter = (db: Database, bindings: readonly BoundGroup[]): PaymentWriter => {
  const insert = insertPayments(bindings);
  const batcher = createBatcher<InputRow, Settled>({
    maxBatch: MAX_BATCH,
    maxInFlight: MAX_IN_FLIGHT,
    run: (rows) =>
      wholeOrEach<InputRow, Settled>(rows, {
        run: (batch) => writeBatch(db, insert, batch),
        mayBeOneRows: (error) => databaseFault(error).kind !== "unavailable",
        failedAlone: (_, error) => ({ error }),
      }),
  });
  return {
    write: async (payment) => {
      const settled = await batcher.add(toRow(payment));
      if ("error" in settled) throw settled.error;
      return settled.result;
    },
    idle: () => batcher.idle(),
  };
};
