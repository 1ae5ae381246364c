import { z } from "zod";

/** A debit was asked for. */
export const PAYMENT_REQUESTED = "payment.requested.v1";

/** The transaction's id alone: amount and account are read from Postgres, where they are guarded. */
export const paymentRequestedSchema = z.object({ transaction_id: z.string().min(1).max(128) });
export type PaymentRequested = z.output<typeof paymentRequestedSchema>;

/** The event of a payment: its type, what it is about, and its data. */
export const paymentRequested = (transactionId: string) => ({
  type: PAYMENT_REQUESTED,
  subject: transactionId,
  data: { transaction_id: transactionId } satisfies PaymentRequested,
});
