import type { Outcome } from "../engine/handler.ts";
import { isForMail, isTlsFault, type SmtpFailure } from "./smtp/failure.ts";
import { keptReply } from "./smtp/kept-reply.ts";
import {
  enhancedCode,
  hasHeardRecipient,
  isAboutLogins,
  limitIn,
  limitOf,
  withoutAddresses,
} from "./smtp/limit-words.ts";

export interface ClassifyOptions {
  /** Minimum delay after greylisting, in ms. */
  readonly greylistMs: number;
  /** The recipient's address, which the reply may quote. */
  readonly recipient: string;
  /** The recipient's domain, the party of what is not about the recipient alone. */
  readonly domain: string;
}

/** The address does not exist: it is suppressed. The address is at fault, so there is no refusing party. */
export const NO_SUCH_ADDRESS = "no_such_address";

/** Reasons of a refusal that is not the address's: by a 5.7.x, or by another 5yz. Of nodes of one domain, one gives the one and one the other. */
const POLICY = "policy";
const REJECTED = "rejected";

const AUTHENTICATION = new Set([530, 534, 535, 538]);
/** Bad address of the *sender* (RFC 3463), which is ours. */
const SENDERS_FAULT = new Set(["4.1.7", "4.1.8", "5.1.7", "5.1.8"]);

/** Servers judge the sender at RCPT, too, by codes of an address: Postfix, for one, has 5.1.0 for a sender that is unknown. */
const OF_SOME_ADDRESS = new Set(["4.1.0", "5.1.0"]);
const OF_SENDER = /\b(sender|originator|envelope[- ]from|return[- ]path)\b/i;
const isSendersFault = (enhanced: string, reply: string): boolean =>
  SENDERS_FAULT.has(enhanced) || (OF_SOME_ADDRESS.has(enhanced) && OF_SENDER.test(withoutAddresses(reply)));

/** X.3.X: mail system status (RFC 3463), whatever its class, but for a mail that is too big. */
const isOfSystem = (enhanced: string | undefined): boolean =>
  enhanced !== undefined && /^[45]\.3\./.test(enhanced) && enhanced !== "5.3.4";
/** A command is not implemented, or not expected now: nobody's recipient does that. */
const OUT_OF_STEP = new Set([502, 503]);

/** It was said, or lost, before MAIL FROM. A login that is refused is not asked about soon: each one more may lock the account. */
const hadNoConnection = (failure: SmtpFailure): boolean => failure.code !== "EAUTH" && !isForMail(failure);

/** What a server says to whoever it is that connects, instead of greeting them. */
const ofGreeting = ({ command, responseCode = 0, reply = "" }: SmtpFailure): string | undefined => {
  if ((command !== "CONN" && command !== "EHLO") || responseCode < 400) return undefined;
  if (isOfSystem(enhancedCode(reply))) return "system_status";
  if (responseCode < 500) return "service_unavailable";
  return responseCode === 500 || OUT_OF_STEP.has(responseCode) ? undefined : "client_refused";
};

/** What a server says of any mail, when it is asked to take one of ours. */
const ofMailFrom = (responseCode: number, enhanced: string | undefined): string => {
  if (responseCode < 500) return "service_unavailable";
  if (isOfSystem(enhanced)) return "system_status";
  return OUT_OF_STEP.has(responseCode) ? "protocol" : "sender_refused";
};

const systemReason = (failure: SmtpFailure): string => {
  const { code, command, cause = "" } = failure;
  if (isTlsFault(failure)) return "tls";
  if (cause === "GREETING_TIMEOUT") return "greeting_timeout";
  switch (code) {
    case "EDNS":
      return "dns";
    case "EAUTH":
      return "auth";
    case "EDEADLINE":
      return "deadline";
    case "ETIMEDOUT":
      return "timeout";
    case "ESOCKET":
      return cause === "ECONNREFUSED" ? "connection_refused" : "connection_failed";
    case "ECONNECTION":
      return "connection_lost";
    default:
      return ofGreeting(failure) ?? (command === "CONN" ? "connection_lost" : "protocol");
  }
};

/** What a reply says of a limit: whatever its code, that ends. */
const ofLimit = (failure: SmtpFailure, reply: string, party: string): Outcome | undefined => {
  const { isOfDomain = false, secondLookMs: minDelayMs } = failure;
  if (minDelayMs !== undefined) {
    return { kind: "unavailable", reason: "too_fast", reply, party, minDelayMs, hasNoRoom: true };
  }
  const said = limitOf(failure);
  const whose = isOfDomain ? { party } : undefined;
  switch (said) {
    case "connections":
      return { kind: "unavailable", reason: "connection_limit", reply, ...(whose ?? { hasNoRoom: true }) };
    case "rate":
      return { kind: "unavailable", reason: "too_fast", reply, ...(whose ?? { hasNoRoom: true, isTooFast: true }) };
    case "quota":
      // Whoever goes on asking may be locked out.
      return { kind: "unavailable", reason: "quota_used_up", reply, ...(whose ?? { isHarmful: true }) };
    case "used up":
    case undefined:
      return undefined;
  }
};

/** A 4yz reply about this recipient or content. */
const deferred = (
  failure: SmtpFailure,
  enhanced: string | undefined,
  reply: string,
  { greylistMs, domain: party }: ClassifyOptions,
): Outcome => {
  const { command, responseCode } = failure;
  if (limitIn(failure) === "used up") return { kind: "unavailable", reason: "too_many_recipients", reply, party };
  const isGreylisting =
    enhanced === "4.7.1" || (command === "RCPT TO" && (responseCode === 450 || responseCode === 451));
  return isGreylisting
    ? { kind: "transient", reason: "greylisted", reply, party, minDelayMs: greylistMs }
    : { kind: "transient", reason: "try_later", reply, party };
};

/**
 * The outcome of a failed send, by the reply and the phase.
 *
 * | reply                                                                         | outcome                              |
 * | ----------------------------------------------------------------------------- | ------------------------------------ |
 * | none: lost or too late from MAIL FROM on, before 354                           | unavailable                          |
 * | none, or any, before MAIL FROM: no connection, DNS, TLS, greeting              | unavailable, soon again              |
 * | none after 354: lost or too late; or neither 2yz, 4yz nor 5yz to the body      | uncertain                            |
 * | none asked for: no connection was free in time                                 | released                             |
 * | none yet: cut because others waited for the connection                          | unavailable for this domain, soon again |
 * | 432, or words of connections                                                   | unavailable: there is no room        |
 * | words of a rate; 4yz that follows a rate                                       | the same, and the rate is lowered    |
 * | 4yz from RCPT TO on that may follow a rate                                     | unavailable for this domain, soon again |
 * | words of a quota of a day or longer                                            | unavailable, asked ever more rarely  |
 * | any of these from RCPT TO on, while domains that are served hear nothing such  | unavailable for this domain          |
 * | silence, or the end of the connection, at RCPT TO; 421, 4.5.3 on this mail     | unavailable for this domain          |
 * | x.3.x but 5.3.4 (the mail is too big), 502 and 503, on this mail               | unavailable for this domain          |
 * | bad address of the sender (also 5.1.0), authentication, from RCPT TO on        | unavailable for this domain          |
 * | 421; any refusal up to MAIL FROM                                               | unavailable                          |
 * | authentication; too many logins                                                | unavailable, asked ever more rarely  |
 * | x.2.2, 552 without a code                                                      | transient: mailbox full              |
 * | 450 or 451 at RCPT TO, 4.7.1                                                   | transient, not before `greylistMs`   |
 * | other 4yz on this recipient or content                                         | transient                            |
 * | 5.1.x                                                                          | rejected, and the address suppressed |
 * | 5.7.x, other 5yz on this recipient or content                                  | rejected                             |
 */
export const classify = (failure: SmtpFailure, options: ClassifyOptions): Outcome => {
  const { code, command, responseCode, bodyStarted } = failure;
  const { domain: party } = options;
  if (code === "EBUSY") return { kind: "released", reason: "no_free_connection" };
  if (code === "ETOOSLOW" && !bodyStarted) return { kind: "unavailable", reason: "slow", party, hasNoRoom: true };
  if (code === "ECALLEDBACK" && !bodyStarted) return { kind: "released", reason: "called_back" };
  if (responseCode === undefined || failure.reply === undefined) {
    if (!bodyStarted && command === "RCPT TO") {
      return { kind: "unavailable", reason: code === "EDEADLINE" ? "deadline" : "connection_lost", party };
    }
    if (!bodyStarted) {
      const { certificate: words } = failure;
      return {
        kind: "unavailable",
        reason: systemReason(failure),
        isUnreached: hadNoConnection(failure),
        ...(words === undefined ? {} : { reply: words }),
      };
    }
    return { kind: "uncertain", reason: code === "EDEADLINE" ? "deadline_after_data" : "connection_lost_after_data" };
  }
  if (bodyStarted && responseCode < 400) return { kind: "uncertain", reason: "unclear_answer" };
  const reply = keptReply(failure.reply, options.recipient);
  const enhanced = enhancedCode(failure.reply);
  // After 354 every reply is to the body, also an incomplete one (which nodemailer reports as `CONN`).
  const isAboutMail = responseCode >= 400 && hasHeardRecipient(failure);
  if (AUTHENTICATION.has(responseCode)) {
    return { kind: "unavailable", reason: "auth", reply, ...(isAboutMail ? { party } : { isHarmful: true }) };
  }
  const limited = ofLimit(failure, reply, party);
  if (limited !== undefined) return limited;
  if (isAboutLogins(failure)) return { kind: "unavailable", reason: "auth", reply, isHarmful: true };
  if (responseCode === 421) {
    const reason = "service_unavailable";
    const isUnreached = hadNoConnection(failure);
    return { kind: "unavailable", reason, reply, isUnreached, ...(isAboutMail ? { party } : {}) };
  }
  const isOfSender = enhanced !== undefined && isSendersFault(enhanced, failure.reply);
  if (command === "MAIL FROM" || isOfSender) {
    const reason = isOfSender ? "sender_refused" : ofMailFrom(responseCode, enhanced);
    return { kind: "unavailable", reason, reply, ...(isAboutMail ? { party } : {}) };
  }
  if (!isAboutMail) {
    const isLogin = code === "EAUTH";
    const reason = isLogin ? "auth" : systemReason(failure);
    const isHarmful = isLogin && responseCode >= 500;
    return {
      kind: "unavailable",
      reason,
      reply,
      isUnreached: hadNoConnection(failure),
      ...(isHarmful ? { isHarmful } : {}),
    };
  }
  if (enhanced?.endsWith(".2.2") || (responseCode === 552 && enhanced === undefined)) {
    return { kind: "transient", reason: "mailbox_full", reply, party };
  }
  if (isOfSystem(enhanced)) return { kind: "unavailable", reason: "system_status", reply, party };
  if (OUT_OF_STEP.has(responseCode)) return { kind: "unavailable", reason: "protocol", reply, party };
  if (responseCode < 500) return deferred(failure, enhanced, reply, options);
  if (enhanced?.startsWith("5.1.")) {
    return { kind: "rejected", reason: NO_SUCH_ADDRESS, reply };
  }
  const reason = enhanced?.startsWith("5.7.") ? POLICY : REJECTED;
  return { kind: "rejected", reason, reply, party, alike: [POLICY, REJECTED] };
};
