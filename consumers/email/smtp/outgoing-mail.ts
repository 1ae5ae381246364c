import type { SmtpFailure } from "./failure.ts";

/** A mail as it goes over the wire. The envelope has one recipient. */
export interface OutgoingMail {
  readonly from: string;
  readonly to: string;
  /** MIME, CRLF, without dot-stuffing. */
  readonly raw: Buffer;
  /** The same as DATA carries it, with its end, if the caller has it so. */
  readonly wire?: Buffer | undefined;
  /** Called when there is a connection for it, or room for one. */
  readonly begins?: () => void;
  /** Called between the server's 354 and the first byte of the body; false: the body must not be sent. */
  readonly beforeBody: () => boolean;
  /** Mails like it failed lately: it gets a connection that others leave. */
  readonly isDoubtful?: boolean;
  /** Whether those of its recipient's domain take much longer than others, as far as is known by now: the same, and half of the connections is for others. */
  readonly isSlow?: () => boolean;
  /** How often it failed before. */
  readonly failures?: number;
}

export type SendResult =
  | { readonly kind: "accepted"; readonly reply: string }
  | { readonly kind: "failed"; readonly failure: SmtpFailure };
