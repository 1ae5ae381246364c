import { withoutRecipient } from "../../../observability/redact.ts";

const MAX_REPLY = 500;

/** A server's reply as it is stored: without the recipient, other addresses and control characters, at most 500 code points. */
export const keptReply = (reply: string, recipient: string): string =>
  [...withoutRecipient(reply.toWellFormed(), recipient).replace(/\p{Cc}+/gu, " ")].slice(0, MAX_REPLY).join("");
