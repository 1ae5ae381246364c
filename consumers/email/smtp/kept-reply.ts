import { withoutRecipient } from "../../../observability/redact.ts";

const MAX_REPLY = 500;

/** A server's reply as it is stored: without the recipient, other addresses and control characters, at most 500 code points. */
export const keptReply = (reply: string, recipient: string): string => {
  const kept = withoutRecipient(reply.toWellFormed(), recipient).replace(/\p{Cc}+/gu, " ");
  return kept.length <= MAX_REPLY ? kept : [...kept].slice(0, MAX_REPLY).join("");
};
