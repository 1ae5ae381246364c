import type { EndCode, SmtpFailure } from "./failure.ts";
import type { Dialogue } from "./patience.ts";

/** The server has no connection for the mail now; nothing was sent. */
export interface Again {
  readonly kind: "again";
  readonly failure: SmtpFailure;
  /** Why, at its first mail: the connection was one too many, or may have been. */
  readonly first?: "one too many" | "unclear";
}

/** The sending of one mail, over one connection or two. */
export interface Sending {
  readonly signal: AbortSignal;
  /** Why we end it ourselves, when it is asked. */
  readonly code: () => EndCode;
  readonly dialogue: Dialogue;
  /** There is a connection: the mail has its whole time for what follows. */
  readonly hasConnection: () => void;
}
