import { withoutAddresses } from "../../observability/redact.ts";
import type { Outcome } from "../engine/handler.ts";
import type { SmtpFailure } from "./smtp/session.ts";

export interface ClassifyOptions {
  /** Shortest delay after greylisting, ms. */
  readonly greylistMs: number;
  /** The recipient's domain: whose answer it was. */
  readonly domain: string;
}

/** The address does not exist: it is suppressed. No party refuses, the address itself is at fault. */
export const NO_SUCH_ADDRESS = "no_such_address";

/** Enhanced status code of a reply (RFC 3463): `5.1.1`. */
const enhancedCode = (reply: string): string | undefined => /^\d{3}[ -]#?([245]\.\d{1,3}\.\d{1,3})\b/.exec(reply)?.[1];

const AUTHENTICATION = new Set([530, 534, 535, 538]);
/** Bad *sender's* address (RFC 3463): ours, not the recipient's. */
const SENDERS_FAULT = new Set(["4.1.7", "4.1.8", "5.1.7", "5.1.8"]);
/** What the system's and TLS' own codes have in common when a handshake or a certificate is at fault. */
const TLS_FAULT = /CERT|SSL|TLS|EPROTO|UNABLE_TO_VERIFY/;
const MAX_REPLY = 500;

/** A server's answer as it may be kept: without addresses, of printable characters alone, none cut in two, not without end. */
export const keptReply = (reply: string): string =>
  [...withoutAddresses(reply.toWellFormed()).replace(/\p{Cc}+/gu, " ")].slice(0, MAX_REPLY).join("");

const systemReason = ({ code, command, cause = "" }: SmtpFailure): string => {
  if (cause === "GREETING_TIMEOUT") return "greeting_timeout";
  switch (code) {
    case "EDNS":
      return "dns";
    case "ETLS":
      return "tls";
    case "EAUTH":
      return "auth";
    case "EDEADLINE":
      return "deadline";
    case "ETIMEDOUT":
      return "timeout";
    case "ESOCKET":
      if (TLS_FAULT.test(cause)) return "tls";
      return cause === "ECONNREFUSED" ? "connection_refused" : "connection_failed";
    default:
      return command === "CONN" ? "connection_lost" : "protocol";
  }
};

/**
 * What a failed send means, by what the server said and when.
 *
 * | what the server said                                                          | outcome                              |
 * | ----------------------------------------------------------------------------- | ------------------------------------ |
 * | nothing: no connection, DNS, TLS, greeting; lost or too late before 354        | unavailable                              |
 * | nothing after 354: cut off, or too late; or neither yes nor no to the body     | uncertain                            |
 * | 421; authentication; anything before or at MAIL FROM; a fault of the sender's  | unavailable                              |
 * | 552, x.2.2                                                                     | transient: mailbox full              |
 * | 450 or 451 at RCPT TO, 4.7.1                                                   | transient, not before `greylistMs`   |
 * | other 4yz on this recipient or content                                         | transient                            |
 * | 5.1.x                                                                          | rejected, and the address suppressed |
 * | 5.7.x, other 5yz on this recipient or content                                  | rejected                             |
 */
export const classify = (failure: SmtpFailure, { greylistMs, domain }: ClassifyOptions): Outcome => {
  const { code, command, responseCode, bodyStarted } = failure;
  if (code === "ECALLEDBACK" && !bodyStarted) return { kind: "released", reason: "called_back" };
  if (responseCode === undefined || failure.reply === undefined) {
    if (!bodyStarted) return { kind: "unavailable", reason: systemReason(failure) };
    return { kind: "uncertain", reason: code === "EDEADLINE" ? "deadline_after_data" : "connection_lost_after_data" };
  }
  if (bodyStarted && responseCode < 400) return { kind: "uncertain", reason: "unclear_answer" };
  const reply = keptReply(failure.reply);
  const enhanced = enhancedCode(failure.reply);
  // After 354 every answer is one to the body, also one that was cut off in mid-line (nodemailer calls that `CONN`).
  const isAboutMail = responseCode >= 400 && (command === "RCPT TO" || command === "DATA" || bodyStarted);
  if (AUTHENTICATION.has(responseCode)) return { kind: "unavailable", reason: "auth", reply };
  if (responseCode === 421) return { kind: "unavailable", reason: "service_unavailable", reply };
  if (command === "MAIL FROM" || (enhanced !== undefined && SENDERS_FAULT.has(enhanced))) {
    return { kind: "unavailable", reason: "sender_refused", reply };
  }
  if (!isAboutMail) return { kind: "unavailable", reason: code === "EAUTH" ? "auth" : systemReason(failure), reply };
  if (responseCode === 552 || enhanced?.endsWith(".2.2")) return { kind: "transient", reason: "mailbox_full", reply };
  if (responseCode < 500) {
    const isGreylisting = enhanced === "4.7.1" || (command === "RCPT TO" && [450, 451].includes(responseCode));
    return isGreylisting
      ? { kind: "transient", reason: "greylisted", reply, minDelayMs: greylistMs }
      : { kind: "transient", reason: "try_later", reply };
  }
  if (enhanced?.startsWith("5.1.")) {
    return { kind: "rejected", reason: NO_SUCH_ADDRESS, reply };
  }
  const reason = enhanced?.startsWith("5.7.") ? "policy" : "rejected";
  return { kind: "rejected", reason, reply, party: domain };
};
