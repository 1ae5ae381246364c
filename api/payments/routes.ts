import type { Context } from "hono";
import type { LoggedEvent } from "../../database/events.ts";
import type { PaymentWriter } from "../../database/payments/request.ts";
import type { Transaction } from "../../database/payments/transactions.ts";
import type { TraceContext } from "../../observability/trace-context.ts";
import { paymentRequested } from "../../stream/events/payment-requested.ts";
import { acceptLanguage, header, jsonAnswer, jsonRequest, needsServiceToken } from "../openapi/describe.ts";
import { EXAMPLE_EVENT_ID } from "../openapi/examples.ts";
import { ProblemError } from "../problem.ts";
import { readJson, requireJson } from "../read-body.ts";
import { traceOf } from "../request-trace.ts";
import type { Operation } from "../resource.ts";
import {
  isTransactionId,
  type PaymentInput,
  parsePayment,
  paymentAcceptedSchema,
  paymentHref,
  paymentSchema,
  paymentStatusSchema,
  toPaymentAccepted,
  toPaymentStatus,
} from "./schema.ts";

export interface PaymentRoutesDeps {
  readonly payments: PaymentWriter;
  readonly findTransaction: (transactionId: string) => Promise<Transaction | undefined>;
  /** Sends a committed event to Redis, without waiting for it. Never rejects. */
  readonly afterCommit: (event: LoggedEvent) => Promise<void>;
  /** Throws unless the caller is authorized. */
  readonly requireServiceToken: (c: Context) => void;
  /** UUIDv7 */
  readonly newId: () => string;
  readonly newTraceContext: () => TraceContext;
}

const EXAMPLE = {
  transaction_id: "order-2026-0001",
  user_id: "01a2109c-053e-74f1-9982-4e9657eb2cfe",
  amount: 150_000,
  currency: "VND",
} as const;
const EXAMPLE_AT = new Date("2026-11-24T02:15:00.000Z");

const readPayment = async (c: Context): Promise<PaymentInput> => {
  const parsed = parsePayment(await readJson(c));
  if (parsed.kind === "invalid") throw new ProblemError("validation_failed", { errors: parsed.faults });
  return parsed.input;
};

const isSame = (input: PaymentInput, transaction: Transaction): boolean =>
  transaction.userId === input.user_id &&
  transaction.currency === input.currency &&
  transaction.amount === BigInt(input.amount);

/** `POST /api/v1/payments`: 202 once transaction, event, delivery and outbox row are committed. */
export const requestPaymentRoute = (deps: PaymentRoutesDeps): Operation => ({
  description: {
    operationId: "requestPayment",
    summary: "Debit an account, once for each transaction id",
    description: "The same transaction id again gives the same answer, and never debits twice.",
    tags: ["payments"],
    security: needsServiceToken,
    parameters: [acceptLanguage],
    requestBody: { required: true, content: jsonRequest("PaymentRequest", paymentSchema, EXAMPLE) },
    responses: {
      202: {
        description: "Committed: the account will be debited, or the payment rejected.",
        headers: { Location: header("Path of the payment's status.", paymentHref(EXAMPLE.transaction_id)) },
        content: jsonAnswer("PaymentAccepted", paymentAcceptedSchema, toPaymentAccepted(EXAMPLE, EXAMPLE_AT)),
      },
    },
    problems: [
      "malformed_json",
      "transaction_id_reused",
      "body_too_large",
      "unsupported_media_type",
      "validation_failed",
      "database_unavailable",
    ],
  },
  handler: async (c) => {
    deps.requireServiceToken(c);
    requireJson(c.req.header("content-type"));
    const input = await readPayment(c);
    const trace = traceOf(c, deps.newTraceContext);
    const event = { eventId: deps.newId(), ...paymentRequested(input.transaction_id) };
    const result = await deps.payments.write({
      transactionId: input.transaction_id,
      userId: input.user_id,
      currency: input.currency,
      amount: BigInt(input.amount),
      event: { ...event, ...trace },
    });
    if (result.kind === "exists" && !isSame(input, result.transaction)) throw new ProblemError("transaction_id_reused");
    if (result.kind === "created") {
      const { eventId, type, subject, data } = event;
      const { traceparent, tracestate = null } = trace;
      const row = { event_id: eventId, type, subject, data, traceparent, tracestate, created_at: result.createdAt };
      await deps.afterCommit(row);
    }
    const createdAt = result.kind === "created" ? result.createdAt : result.transaction.createdAt;
    return c.json(toPaymentAccepted(input, createdAt), 202, { Location: paymentHref(input.transaction_id) });
  },
});

/** `GET /api/v1/payments/{transaction_id}`: what became of a payment, from Postgres alone. */
export const paymentStatusRoute = (deps: PaymentRoutesDeps): Operation => ({
  description: {
    operationId: "getPayment",
    summary: "The status of a payment",
    description: "By the id that its client gave it; from the ledger alone.",
    tags: ["payments"],
    security: needsServiceToken,
    parameters: [
      {
        name: "transaction_id",
        in: "path",
        required: true,
        schema: { type: "string", minLength: 1, maxLength: 128 },
        example: EXAMPLE.transaction_id,
      },
      acceptLanguage,
    ],
    responses: {
      200: {
        description: "The state of the transaction. `rejected` and `completed` are final.",
        content: jsonAnswer("Payment", paymentStatusSchema, {
          ...EXAMPLE,
          event_id: EXAMPLE_EVENT_ID,
          status: "completed",
          reason: null,
          created_at: EXAMPLE_AT.toISOString(),
          settled_at: EXAMPLE_AT.toISOString(),
        }),
      },
    },
    problems: ["payment_not_found", "database_unavailable"],
  },
  handler: async (c) => {
    deps.requireServiceToken(c);
    const id = c.req.param("transaction_id") ?? "";
    const found = isTransactionId(id) ? await deps.findTransaction(id) : undefined;
    if (found === undefined) throw new ProblemError("payment_not_found");
    return c.json(toPaymentStatus(found), 200, { "Cache-Control": "no-store" });
  },
});
