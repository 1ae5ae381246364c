import type { SmtpFailure } from "./failure.ts";
import type { SendResult } from "./outgoing-mail.ts";
import type { Dialogue, Patience } from "./patience.ts";

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

/**
 * Watches the dialogue of a mail. One that is cut for the sake of others says something about its recipient, not about the server: others
 * got on meanwhile, or the server owed its word on the recipient. Not even the answer to MAIL FROM need be there: servers that
 * answer pipelined commands together keep it back until they know the recipient.
 */
export const watchMail = (patience: Patience, dialogue: Dialogue) => {
  let isCut = false;
  const cut = () => {
    isCut = true;
    dialogue.cut();
  };
  const watched = patience.watch({ ...dialogue, cut });
  const atRecipient = (result: SendResult): SendResult =>
    isCut && result.kind === "failed" && result.failure.code === "EDEADLINE" && !result.failure.bodyStarted
      ? { ...result, failure: { ...result.failure, command: "RCPT TO" } }
      : result;
  return { ...watched, atRecipient };
};
