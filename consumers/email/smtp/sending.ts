import type { SmtpFailure } from "./failure.ts";
import type { Dialogue } from "./patience.ts";

/** The server has no connection for the mail now; nothing was sent. */
export interface Again {
  readonly kind: "again";
  readonly failure: SmtpFailure;
}

/** Why we end a mail ourselves, when it is asked. */
export type AbortCode = () => "EDEADLINE" | "ECALLEDBACK";

/** The sending of one mail, over one connection or two. */
export interface Sending {
  readonly signal: AbortSignal;
  readonly code: AbortCode;
  readonly dialogue: Dialogue;
}
