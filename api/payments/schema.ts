import { z } from "zod";
import type { Transaction } from "../../database/payments/transactions.ts";
import { type FaultCode, type Parsed, parseBy } from "../faults.ts";

const text = (code: FaultCode) =>
  z.string({ error: ({ input }): FaultCode => (input === undefined ? "required" : code) });

const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf("currency"));

/** Not `.` and `..`: every client takes them out of a path, escaped or not. */
const TRANSACTION_ID = /^(?!\.{1,2}$)[\x21-\x7e]{1,128}$/;

/** Whether a text can be the id of a transaction: of others Postgres cannot even look for all. */
export const isTransactionId = (text: string): boolean => TRANSACTION_ID.test(text);

/** The body of a payment. Unknown fields are ignored. */
export const paymentSchema = z.object(
  {
    transaction_id: text("not_text")
      .regex(TRANSACTION_ID, { error: (): FaultCode => "transaction_id_invalid" })
      .meta({
        minLength: 1,
        maxLength: 128,
        description: "The client's own, of visible ASCII characters: the account is debited at most once for each.",
        examples: ["order-2026-0001"],
      }),
    user_id: text("not_text")
      .regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, { error: (): FaultCode => "user_id_invalid" })
      .toLowerCase()
      .meta({ format: "uuid", examples: ["01a2109c-053e-74f1-9982-4e9657eb2cfe"] }),
    amount: z
      .int({ error: ({ input }): FaultCode => (input === undefined ? "required" : "amount_invalid") })
      .positive({ error: (): FaultCode => "amount_invalid" })
      .meta({ description: "In minor units of the currency, above 0.", examples: [150_000] }),
    currency: text("not_text")
      .refine((code) => CURRENCIES.has(code), { error: (): FaultCode => "currency_unknown" })
      .meta({ minLength: 3, maxLength: 3, description: "ISO 4217, in capitals.", examples: ["VND"] }),
  },
  { error: (): FaultCode => "not_an_object" },
);

export type PaymentInput = z.output<typeof paymentSchema>;

/** Checks a body and reports all its faults at once. */
export const parsePayment = (body: unknown): Parsed<PaymentInput> => parseBy(paymentSchema, body);

/** The body of `POST /api/v1/payments`: the same whenever the same is asked for. */
export const paymentAcceptedSchema = z.object({
  transaction_id: z.string(),
  user_id: z.uuid(),
  amount: z.int(),
  currency: z.string(),
  status: z.literal("queued"),
  href: z.string().meta({ description: "Where to look what became of it." }),
  created_at: z.iso.datetime(),
});

/** The body of `GET /api/v1/payments/{transaction_id}`. */
export const paymentStatusSchema = z.object({
  transaction_id: z.string(),
  event_id: z.uuid(),
  user_id: z.uuid(),
  amount: z.int(),
  currency: z.string(),
  status: z.enum(["queued", "completed", "rejected"]),
  reason: z.enum(["insufficient_funds", "no_such_account"]).nullable(),
  created_at: z.iso.datetime(),
  settled_at: z.iso.datetime().nullable(),
});

export const paymentHref = (transactionId: string): string => `/api/v1/payments/${encodeURIComponent(transactionId)}`;

export const toPaymentAccepted = (
  { transaction_id, user_id, amount, currency }: PaymentInput,
  createdAt: Date,
): z.output<typeof paymentAcceptedSchema> => ({
  transaction_id,
  user_id,
  amount,
  currency,
  status: "queued",
  href: paymentHref(transaction_id),
  created_at: createdAt.toISOString(),
});

export const toPaymentStatus = (found: Transaction): z.output<typeof paymentStatusSchema> => ({
  transaction_id: found.transactionId,
  event_id: found.eventId,
  user_id: found.userId,
  amount: Number(found.amount),
  currency: found.currency,
  status: found.status,
  reason: found.reason,
  created_at: found.createdAt.toISOString(),
  settled_at: found.settledAt?.toISOString() ?? null,
});
