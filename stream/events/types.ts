import { PAYMENT_REQUESTED } from "./payment-requested.ts";
import { USER_CONFIRMATION_REQUESTED } from "./user-confirmation-requested.ts";
import { USER_EMAIL_VERIFIED } from "./user-email-verified.ts";
import { USER_SIGNED_UP } from "./user-signed-up.ts";
import { USER_SIGNUP_REPEATED } from "./user-signup-repeated.ts";

/** Every type of event that this code publishes and can read. A new version of a type is a type of its own. */
export const EVENT_TYPES: readonly string[] = [
  USER_SIGNED_UP,
  USER_CONFIRMATION_REQUESTED,
  USER_EMAIL_VERIFIED,
  USER_SIGNUP_REPEATED,
  PAYMENT_REQUESTED,
];
