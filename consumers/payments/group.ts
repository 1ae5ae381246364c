import { databaseFault, isLocked } from "../../database/errors.ts";
import { createDebitOnce } from "../../database/payments/debit.ts";
import { findTransactions, type Transaction } from "../../database/payments/transactions.ts";
import { paymentRequestedSchema } from "../../stream/events/payment-requested.ts";
import { defineGroup, policyOf } from "../engine/factory.ts";
import type { Outcome, Prepared } from "../engine/handler.ts";

/** A database that is away for an hour costs no payment. */
const RETRY_MAX = 100;

/**
 * Debits an account once for each transaction. The guard is in the database, in the same statement as the debit: so the work
 * may be done again without harm, and no crash is uncertain. Too little money and no account are outcomes, not failures.
 */
export const factory = defineGroup({
  requires: [],
  data: paymentRequestedSchema,
  open: ({ settings, db }) => {
    const debitOnce = createDebitOnce(db);
    return {
      subjectOf: ({ transaction_id }) => transaction_id,
      prepare: async (pieces) => {
        const found = await findTransactions(db, [...new Set(pieces.map(({ data }) => data.transaction_id))]);
        return new Map(
          pieces.map(({ eventId, data }): [string, Prepared<Transaction>] => {
            const input = found.get(data.transaction_id);
            return [
              eventId,
              input === undefined ? { kind: "cancel", reason: "no_such_transaction" } : { kind: "ready", input },
            ];
          }),
        );
      },
      work: async (_, { transactionId }, attempt): Promise<Outcome> => {
        if (!attempt.commit()) return { kind: "released", reason: "lease_lost" };
        try {
          const result = await debitOnce(transactionId);
          if (result === undefined) return { kind: "rejected", reason: "no_such_transaction" };
          const reply = result.reason === null ? result.status : `${result.status}: ${result.reason}`;
          return { kind: "done", receipt: transactionId, reply };
        } catch (error) {
          // Somebody else holds this account: the others go on.
          if (isLocked(error)) return { kind: "transient", reason: "account_locked" };
          const { kind, code } = databaseFault(error);
          if (kind === "bad-data" || kind === "unknown") throw error;
          return { kind: "unavailable", reason: `database_${code.toLowerCase()}` };
        }
      },
      policy: { ...policyOf(settings), isIdempotent: true, retryMax: RETRY_MAX },
    };
  },
});
