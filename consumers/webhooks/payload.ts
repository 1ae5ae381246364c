import { z } from "zod";
import type { WebhookFacts } from "../../database/webhooks/facts.ts";
import { PAYMENT_REQUESTED, paymentRequestedSchema } from "../../stream/events/payment-requested.ts";
import { USER_CONFIRMATION_REQUESTED } from "../../stream/events/user-confirmation-requested.ts";
import { USER_EMAIL_VERIFIED, userEmailVerifiedSchema } from "../../stream/events/user-email-verified.ts";
import { LOCALES, USER_SIGNED_UP, userSignedUpSchema } from "../../stream/events/user-signed-up.ts";
import { USER_SIGNUP_REPEATED } from "../../stream/events/user-signup-repeated.ts";
import type { WebhookContent } from "../../stream/events/webhook.ts";

/** `data` of a webhook of the type `user.signed_up.v1`. */
export const userSignedUpPayload = z.object({
  user_id: z.uuid(),
  user_name: z.string().meta({ description: "As the person wrote it; may contain markup." }),
  email: z.string(),
  locale: z.enum(LOCALES),
  created_at: z.iso.datetime(),
});

/** `data` of a webhook of the type `user.email_verified.v1`. */
export const userEmailVerifiedPayload = z.object({
  user_id: z.uuid(),
  email: z.string(),
  verified_at: z.iso.datetime(),
});

/** `data` of a webhook of the type `payment.requested.v1`. */
export const paymentRequestedPayload = z.object({
  transaction_id: z.string().meta({ description: "The client's own." }),
  user_id: z.uuid(),
  amount: z.int().meta({ description: "In minor units of the currency." }),
  currency: z.string().meta({ description: "ISO 4217." }),
  created_at: z.iso.datetime(),
});

/** The schema of `data` by type. A change that a receiver could notice makes a new version of the type. */
export const PAYLOADS = {
  [USER_SIGNED_UP]: userSignedUpPayload,
  [USER_EMAIL_VERIFIED]: userEmailVerifiedPayload,
  [PAYMENT_REQUESTED]: paymentRequestedPayload,
} as const;

/** What the data of an event refers to in Postgres. */
export type Reference =
  | { readonly kind: "user"; readonly userId: string; readonly locale: (typeof LOCALES)[number] }
  | { readonly kind: "verified_user"; readonly userId: string }
  | { readonly kind: "transaction"; readonly transactionId: string }
  /** Between our own parts: it may be about nobody, or must stay unknown. */
  | { readonly kind: "internal" }
  /** A type of which this code knows no more than its data. */
  | { readonly kind: "none"; readonly data: Readonly<Record<string, unknown>> }
  | { readonly kind: "malformed" };

/** Reads the data of an event, by the schema of its type. Pure. */
export const referenceOf = (type: string, data: Readonly<Record<string, unknown>>): Reference => {
  if (type === USER_SIGNED_UP) {
    const parsed = userSignedUpSchema.safeParse(data);
    if (!parsed.success) return { kind: "malformed" };
    return { kind: "user", userId: parsed.data.user_id, locale: parsed.data.locale };
  }
  if (type === USER_EMAIL_VERIFIED) {
    const parsed = userEmailVerifiedSchema.safeParse(data);
    return parsed.success ? { kind: "verified_user", userId: parsed.data.user_id } : { kind: "malformed" };
  }
  if (type === USER_CONFIRMATION_REQUESTED || type === USER_SIGNUP_REPEATED) return { kind: "internal" };
  if (type === PAYMENT_REQUESTED) {
    const parsed = paymentRequestedSchema.safeParse(data);
    if (!parsed.success) return { kind: "malformed" };
    return { kind: "transaction", transactionId: parsed.data.transaction_id };
  }
  return { kind: "none", data };
};

/** The content of a webhook; undefined: what it is about does not exist any more, or is no receiver's business. Pure. */
export const contentOf = (
  eventId: string,
  reference: Exclude<Reference, { kind: "malformed" }>,
  { at, user, transaction }: WebhookFacts,
): WebhookContent | undefined => {
  switch (reference.kind) {
    case "user": {
      if (user === undefined) return undefined;
      const data = {
        user_id: user.userId,
        user_name: user.userName,
        email: user.email,
        locale: reference.locale,
        created_at: user.createdAt.toISOString(),
      } satisfies z.output<typeof userSignedUpPayload>;
      return { at, subject: user.userId, data };
    }
    case "verified_user": {
      if (user === undefined) return undefined;
      const data = {
        user_id: user.userId,
        email: user.email,
        verified_at: at.toISOString(),
      } satisfies z.output<typeof userEmailVerifiedPayload>;
      return { at, subject: user.userId, data };
    }
    case "internal":
      return undefined;
    case "transaction": {
      if (transaction === undefined) return undefined;
      const data = {
        transaction_id: transaction.transactionId,
        user_id: transaction.userId,
        amount: transaction.amount,
        currency: transaction.currency,
        created_at: transaction.createdAt.toISOString(),
      } satisfies z.output<typeof paymentRequestedPayload>;
      return { at, subject: transaction.transactionId, data };
    }
    case "none":
      return { at, subject: eventId, data: reference.data };
  }
};
