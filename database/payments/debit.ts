import { type Database, statement } from "../connection.ts";
import { createAwaitRow, sqlLockTimeout } from "../lock-timeout.ts";
import type { Transaction } from "./transactions.ts";

/** What a debit came to. */
export interface DebitResult {
  readonly status: Exclude<Transaction["status"], "queued">;
  readonly reason: Transaction["reason"];
}

/**
 * Guard row and debit in one statement: the transaction's own row, locked while it is `queued`, lets exactly one execution
 * through; the account's row is debited by the same statement, or not at all. $1 transaction id.
 *
 * Two debits of one account wait for each other at its row, and the second is judged by the balance that the first left. $2 how long for, in ms.
 */
const debit = statement<DebitResult, [string, number]>(`
  with due as (
    select * from transactions
    where transaction_id = $1::text and status = 'queued' and ${sqlLockTimeout("$2")} for update),
  debited as (
    update accounts set balance = accounts.balance - due.amount
    from due
    where accounts.user_id = due.user_id and accounts.currency = due.currency and accounts.balance >= due.amount
    returning accounts.user_id),
  settled as (
    update transactions set
      status = case when exists (select 1 from debited) then 'completed' else 'rejected' end,
      reason = case when exists (select 1 from debited) then null
        when exists (select 1 from accounts where accounts.user_id = due.user_id and accounts.currency = due.currency)
          then 'insufficient_funds' else 'no_such_account' end,
      settled_at = now()
    from due where transactions.transaction_id = due.transaction_id
    returning transactions.status, transactions.reason)
  select status, reason from settled
  union all
  select status, reason from transactions where transaction_id = $1::text and status <> 'queued'`);

/**
 * Debits the account of a transaction, once however often it is called: what it came to the first time is the answer ever
 * after. Undefined: there is no such transaction.
 *
 * @throws an error of `isLocked` if somebody else has locked the account
 */
export type DebitOnce = (transactionId: string) => Promise<DebitResult | undefined>;

/** Debits of accounts that somebody else has locked wait apart, one at a time. */
export const createDebitOnce = (db: Database): DebitOnce => {
  const awaitRow = createAwaitRow();
  return (transactionId) =>
    awaitRow(async (lockTimeoutMs) => {
      const [first] = await debit(db, transactionId, lockTimeoutMs);
      // Another execution settled it while this one waited for its row; a new snapshot shows what it came to.
      return first ?? (await debit(db, transactionId, lockTimeoutMs))[0];
    });
};
