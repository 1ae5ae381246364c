import { isCertificateFault, isForMail, type SmtpFailure } from "./failure.ts";

/**
 * What a server speaks of: too many connections, at a time or opened in a time; mails that come too fast; what one connection may have; or a
 * quota of a day or longer, which no pace keeps to.
 */
export type Limit = "connections" | "rate" | "used up" | "quota";

/** Exim, Yahoo. */
const OF_USE = [/\b(mails?|messages?|recipients?|transactions?) (\w+ ){0,2}(connection|session)\b/i];
/** Postfix, Exim, sendmail: each mail has one, so it is those of the mails before. */
const OF_RECIPIENTS = [/\btoo many recipients\b(?! (from|received|per|this|within|sent)\b)/i];

/** Postfix, postscreen, Exim, Exchange, Office 365, Dovecot, SES, sendmail, IronPort, SendGrid, smtp-server. */
const OF_CONNECTIONS = [
  /\btoo many (\w+ ){0,3}(connections|sessions|clients|connects|connection attempts)\b/i,
  /\b(connections?|sessions?) (?!(\w+ )?(time|idle))(\w+ ){0,4}(limit|exceed(s|ed)?)\b/i,
  /\bclients? limit\b/i,
  /\b(concurrent|simultaneous) (\w+ )?(connections|sessions)\b/i,
  /\bmaximum (\w+ ){0,3}connections\b/i,
  /\bthread limit\b/i,
  /\bserver ports are busy\b/i,
  /\blimit for processing requests\b/i,
  /\btrop de connexions\b/i,
];

/** SES, Gmail, Office 365, Exim as hosters set it up: a long time, and that it is used up. What names a shorter one as well is kept to by a pace. */
const OF_LONG_TIMES = [
  /\b(daily|monthly|today)\b|\b(per|a|this|last|each) (day|month)\b/i,
  /\b24 ?h(ours?|rs?)?\b/i,
  /submissionquota/i,
];
const OF_EXCESS = [/\b(quota|limits?|exceed\w*|overlimit|too many|only \d+)\b/i, /quotaexceeded/i];
const OF_SHORT_TIMES = [/\b(second|minute)(ly)?\b|(?<!\b24 ?)\bhour(ly)?\b/i];

/** SES, Gmail, Outlook, Exchange, Yahoo, Postfix's anvil, Exim, rspamd, cbpolicyd, postfwd, IronPort, Stalwart, SendGrid, Haraka. */
const OF_RATE = [
  /\btoo (fast|quickly|rapidly|frequent(ly)?|often)\b/i,
  /\btoo (much|many) (\w+ ){0,2}(e?-?mails?|messages|requests|recipients|transactions|submissions|deliveries)\b/i,
  /\b(send(ing|er)?|messages?|e?-?mail|submission|delivery|recipients?) rate\b/i,
  /\brate[- ]?(over)?limit|\boverlimit\b|throttl|\bslow(ing)? down\b/i,
  /\b(unusual|unexpected|excessive|high) (\w+ ){0,2}(rate|volume)\b/i,
  /\b(per|this|each|last) (second|minute|hour)\b|\bhourly\b/i,
  /\b(send(ing|er)?|messag(e|es|ing)|submission|relay(ing)?|outgoing|outbound|recipient) (limits?|quota)\b/i,
  /\b\d+ (e?-?mails?|messages?|requests?|recipients?) ?(\/|per|in|within|every) ?\d+ ?(s|seconds?|m|min|minutes?|h|hours?)\b/i,
  /\bmessage (count|cumulative size) quota exceeded\b/i,
];
/** Gmail's. */
const CODE_OF_RATE = "4.7.28";

/** How servers say that an account is about to be locked, whatever the code: Gmail's 454, others' 421. */
const OF_LOGINS = [/\btoo many (\w+ ){0,4}(log-?ins?|sign-?ins?|auth\w*)\b/i];

const has = (words: readonly RegExp[], reply: string): boolean => words.some((each) => each.test(reply));

/** Enhanced status code of a reply (RFC 3463): `5.1.1`. */
export const enhancedCode = (reply: string): string | undefined =>
  /^\d{3}[ -]#?([245]\.\d{1,3}\.\d{1,3})\b/.exec(reply)?.[1];

/** A reply without the addresses that it quotes: whoever signs up chooses their words. */
export const withoutAddresses = (reply: string): string =>
  reply.includes("@") ? reply.replace(/\S+/g, (word) => (word.includes("@") ? "" : word)) : reply;

/** There is no such mailbox or domain, whatever else is said. */
const OF_ADDRESS = /^5\.1\.([1236]|10)$/;

/** Whether the server had accepted the sender, and heard of the recipient, when it said so: it may speak of that one. */
export const hasHeardRecipient = ({ command, bodyStarted }: SmtpFailure): boolean =>
  bodyStarted || command === "RCPT TO" || command === "DATA";

/** x.2.x is about one mailbox: it is full, or "the user is receiving mail too quickly". */
const isAboutMailbox = (failure: SmtpFailure, enhanced: string): boolean =>
  hasHeardRecipient(failure) && enhanced[2] === "2";

const isQuota = (reply: string): boolean =>
  has(OF_LONG_TIMES, reply) && has(OF_EXCESS, reply) && !has(OF_SHORT_TIMES, reply);

const OF_ONE_CONNECTION = /\b(connection|session)\b/i;
/** The code of too many recipients (RFC 3463) is given for any rate, too: its words say which. */
const isOfRecipients = (enhanced: string, reply: string): boolean =>
  has(OF_RECIPIENTS, reply) || (enhanced === "4.5.3" && (OF_ONE_CONNECTION.test(reply) || !has(OF_RATE, reply)));

/** Logins were refused, or are too many. */
export const isAboutLogins = (failure: SmtpFailure): boolean =>
  !hasHeardRecipient(failure) && has(OF_LOGINS, withoutAddresses(failure.reply ?? ""));

/**
 * The limit that a reply speaks of; undefined: none of ours. The codes alone also mean greylisting, or a fault of the server.
 *
 * Words about connections at RCPT are the recipient's: whoever owns a domain writes them ("host mx.example said: too many connections"), and relays that look
 * for the mailbox pass them on. As long as the connection works, it has room. The other words may be, too: `whose-limit.ts`.
 */
export const limitIn = (failure: SmtpFailure): Limit | undefined => {
  const { responseCode = 0, command, code } = failure;
  if (responseCode < 400) return undefined;
  const reply = withoutAddresses(failure.reply ?? "");
  // Office 365: "sender thread limit exceeded".
  if (responseCode === 432) return "connections";
  const enhanced = enhancedCode(reply) ?? "";
  const isAtRecipient = command === "RCPT TO";
  if (hasHeardRecipient(failure) && OF_ADDRESS.test(enhanced)) return undefined;
  if (responseCode === 452 && isOfRecipients(enhanced, reply)) return "used up";
  if (responseCode < 500 && !isAtRecipient && has(OF_USE, reply)) return "used up";
  if (isQuota(reply)) return "quota";
  if (isAboutMailbox(failure, enhanced)) return undefined;
  if (has(OF_CONNECTIONS, reply)) return isAtRecipient ? undefined : "connections";
  if (isAboutLogins(failure)) return undefined;
  if (enhanced !== CODE_OF_RATE && !has(OF_RATE, reply)) return undefined;
  if (isForMail(failure)) return "rate";
  // Who asks for a connection hears it of connections.
  return code === "EAUTH" ? undefined : "connections";
};

/** The same, or the limit that was found without a word of it. */
export const limitOf = (failure: SmtpFailure): Limit | undefined => failure.unnamed ?? limitIn(failure);

/** By these some servers turn away one too many where it sends its first mail; only a 421 closes it, and only that is said to whoever connects. */
const TURNS_AWAY = new Set([421, 450, 451, 452]);

/** Whether a connection may be turned away by that, without a word of a limit. */
export const turnsAway = ({ responseCode = 0, command }: SmtpFailure): boolean =>
  responseCode === 421 || (command === "MAIL FROM" && TURNS_AWAY.has(responseCode));

const MAY_BE_LIMIT = new Set([421, 432, 450, 451, 452, 454, 554]);
/** Failures to connect that have nothing to do with how many connections there are. */
const OTHER_FAULTS = new Set(["EDNS", "EAUTH", "ECALLEDBACK"]);

/** A connection was refused as a server refuses one too many: by a reply, also to STARTTLS, by silence, or by closing it. */
export const mayBeOneTooMany = (failure: SmtpFailure): boolean => {
  if (limitIn(failure) === "connections") return true;
  if (OTHER_FAULTS.has(failure.code) || isCertificateFault(failure)) return false;
  if (failure.responseCode !== undefined) return MAY_BE_LIMIT.has(failure.responseCode);
  return failure.code !== "EDEADLINE" || failure.cause === "GREETING_TIMEOUT";
};
