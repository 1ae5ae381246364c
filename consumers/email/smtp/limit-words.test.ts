import { describe, expect, test } from "bun:test";
import type { SmtpFailure } from "./failure.ts";
import { type Limit, limitIn, mayBeOneTooMany } from "./limit-words.ts";

const failure = (reply: string | undefined, parts: Partial<SmtpFailure> = {}): SmtpFailure => ({
  code: "EPROTOCOL",
  command: "CONN",
  reply,
  responseCode: reply === undefined ? undefined : Number(reply.slice(0, 3)),
  cause: undefined,
  bodyStarted: false,
  ...parts,
});

/** Where it is said; BODY: after the body. */
type Place = "CONN" | "AUTH PLAIN" | "MAIL FROM" | "RCPT TO" | "DATA" | "BODY";

const saidAt = (place: Place, reply: string): SmtpFailure => {
  if (place === "BODY") return failure(reply, { command: "DATA", bodyStarted: true });
  return failure(reply, { command: place, code: place.startsWith("AUTH") ? "EAUTH" : "EPROTOCOL" });
};

const NONE = undefined;

/** By server, as their sources and manuals word it. */
const SAID: readonly (readonly [server: string, place: Place, reply: string, limit: Limit | undefined])[] = [
  ["Postfix", "CONN", "421 4.7.0 mx.example Error: too many connections from 192.0.2.1", "connections"],
  ["Postfix", "MAIL FROM", "450 4.7.1 Error: too much mail from 192.0.2.1", "rate"],
  ["Postfix", "RCPT TO", "450 4.7.1 Error: too many recipients from 192.0.2.1", "rate"],
  ["Postfix", "RCPT TO", "452 4.5.3 Error: too many recipients", "used up"],
  ["Postfix", "CONN", "421 4.7.0 mx.example Error: too many new TLS sessions from 192.0.2.1", "connections"],
  ["Postfix", "AUTH PLAIN", "450 4.7.1 Error: too many AUTH commands from 192.0.2.1", NONE],
  ["Postfix", "MAIL FROM", "421 4.4.2 mx.example Error: timeout exceeded", NONE],
  ["Postfix", "MAIL FROM", "421 4.7.0 mx.example Error: too many errors", NONE],
  ["Postfix", "MAIL FROM", "452 4.3.1 Insufficient system storage", NONE],
  ["postscreen", "CONN", "421 4.3.2 All server ports are busy", "connections"],
  ["Exim", "CONN", "421 Too many concurrent SMTP connections; please try again later.", "connections"],
  ["Exim", "CONN", "421 Too much load; please try again later.", NONE],
  ["Exim", "MAIL FROM", "421 too many messages in this connection", "used up"],
  ["Exim", "RCPT TO", "452 too many recipients", "used up"],
  ["a relay", "RCPT TO", "452 4.5.3 Too many recipients this session", "used up"],
  ["a relay", "RCPT TO", "452 4.5.3 Recipient limit exceeded for this connection", "used up"],
  ["a relay", "RCPT TO", "452 4.5.3 try again over another connection", "used up"],
  ["a relay", "RCPT TO", "452 4.5.3 Too many recipients received this hour", "rate"],
  ["a relay", "RCPT TO", "452 4.5.3 Sending rate exceeded, slow down", "rate"],
  ["a relay", "MAIL FROM", "452 4.5.3 Too many messages, slow down", "rate"],
  ["Exim's ratelimit", "RCPT TO", "450 Sender rate 12.3 / 1h", "rate"],
  ["Exim's ratelimit", "RCPT TO", "451 Temporarily rejected: Sender rate overlimit - 81.2 / 1h", "rate"],
  ["Exim's ratelimit", "RCPT TO", "550 Sender rate overlimit - 290.8 / 24h", "quota"],
  ["cPanel", "RCPT TO", "550 Domain a.example has exceeded the max emails per hour (51/50 (102%)) allowed.", "rate"],
  [
    "Exchange",
    "MAIL FROM",
    "421 4.4.2 Message submission rate for this client has exceeded the configured limit",
    "rate",
  ],
  [
    "Exchange",
    "CONN",
    "421 4.3.2 The maximum number of concurrent connections per source has exceeded a limit, closing transmission channel",
    "connections",
  ],
  ["Exchange", "MAIL FROM", "452 4.3.1 Insufficient system resources", NONE],
  ["Office 365", "BODY", "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded", "connections"],
  ["Office 365", "BODY", "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException", "quota"],
  ["Office 365", "MAIL FROM", "550 5.1.90 You have reached your daily limit for message recipients", "quota"],
  ["Office 365", "BODY", "450 4.5.127 Message rejected. Excessive message rate from sender", "rate"],
  ["Outlook", "MAIL FROM", "451 4.7.500 Server busy. Please try again later from [192.0.2.1]", NONE],
  [
    "Outlook",
    "CONN",
    "421 RP-001 The mail server IP connecting to Outlook.com server has exceeded the rate limit allowed",
    "connections",
  ],
  ["Outlook", "BODY", "421 RP-001 We have limits for how many messages can be sent per hour and per day", "rate"],
  ["Outlook", "MAIL FROM", "451 4.7.650 The mail server [192.0.2.1] has been temporarily rate limited", "rate"],
  [
    "Outlook",
    "MAIL FROM",
    "451 4.7.652 The mail server [192.0.2.1] has exceeded the maximum number of connections.",
    "connections",
  ],
  ["SES", "BODY", "454 Throttling failure: Maximum sending rate exceeded.", "rate"],
  ["SES", "BODY", "454 Throttling failure: Daily message quota exceeded.", "quota"],
  ["SES", "CONN", "421 Too many concurrent SMTP connections", "connections"],
  ["Gmail", "BODY", "421-4.7.28 Gmail has detected an unusual rate of mail", "rate"],
  ["Gmail", "BODY", "421 4.7.28 try again later", "rate"],
  ["Gmail", "BODY", "550-5.4.5 Daily user sending limit exceeded.", "quota"],
  ["Gmail", "RCPT TO", "450 4.2.1 The user you are trying to contact is receiving mail too quickly", NONE],
  ["Gmail", "AUTH PLAIN", "454 4.7.0 Too many login attempts, please try again later", NONE],
  ["Gmail", "MAIL FROM", "421 4.7.0 Try again later, closing connection", NONE],
  ["Gmail", "RCPT TO", "452 4.2.2 The email account that you tried to reach is over quota", NONE],
  [
    "Yahoo",
    "MAIL FROM",
    "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints",
    "rate",
  ],
  ["Yahoo", "MAIL FROM", "421 Max message per connection reached, closing transmission channel", "used up"],
  ["Yahoo", "MAIL FROM", "421 Resources temporarily unavailable. Please try again later", NONE],
  ["sendmail", "CONN", "421 4.3.2 Too many open connections.", "connections"],
  ["sendmail", "CONN", "421 4.3.2 Connection rate limit exceeded.", "connections"],
  ["sendmail", "MAIL FROM", "452 4.4.5 Insufficient disk space; try again later", NONE],
  ["Stalwart", "MAIL FROM", "451 4.4.5 Rate limit exceeded, try again later.", "rate"],
  ["Stalwart", "RCPT TO", "452 4.4.5 Rate limit exceeded, try again later.", "rate"],
  ["Haraka", "CONN", "450 connection rate limit exceeded", "connections"],
  ["Haraka", "MAIL FROM", "450 message rate limit exceeded", "rate"],
  ["rspamd", "BODY", '451 4.7.1 Ratelimit "user" exceeded', "rate"],
  ["cbpolicyd", "RCPT TO", "450 4.7.1 <x@y.example>: Policy rejection; Message count quota exceeded.", "rate"],
  ["policyd", "BODY", "450 4.7.1 <END-OF-MESSAGE>: End-of-data rejected: Number messages per hour exceeded.", "rate"],
  ["policyd-rate-limit", "RCPT TO", "450 4.7.1 Rate limit reach, retry later", "rate"],
  ["postfwd", "RCPT TO", "450 4.7.1 sorry, not more than 100 recipients per 3600 seconds", "rate"],
  ["a relay", "RCPT TO", "450 4.7.1 Relay temporarily limited: 100 messages / 3600s", "rate"],
  ["a relay", "BODY", "451 4.7.1 sender quota reached", "rate"],
  ["a relay", "BODY", "554 5.7.0 too many messages", "rate"],
  ["a mailbox", "RCPT TO", "452 4.2.2 sender quota of this mailbox reached", NONE],
  ["Zimbra", "RCPT TO", "450 4.7.1 <a@b.example>: Sender address rejected: sender rate limit exceeded", "rate"],
  ["OVH", "MAIL FROM", "450 4.7.1 You are sending too many mails, please slow down", "rate"],
  [
    "Mailgun",
    "RCPT TO",
    "421 Domain a.example is not allowed to send: recipient limit exceeded, try again after",
    "rate",
  ],
  ["SendGrid", "MAIL FROM", "451 You have exceeded your messaging limits", "rate"],
  ["SendGrid", "CONN", "421 All available IPs are at maximum connection limit", "connections"],
  ["IronPort", "CONN", "421 #4.4.5 Too many connections from your host.", "connections"],
  ["IronPort", "RCPT TO", "452 Too many recipients received this hour", "rate"],
  ["IronPort", "CONN", "421 Exceeded allowable connection time, disconnecting.", NONE],
  ["GoDaddy", "MAIL FROM", "452 this account has exceeded its daily relay quota", "quota"],
  ["vmail", "DATA", "550 5.7.1 Data command rejected: only 10 messages per day", "quota"],
  ["smtp-server", "CONN", "421 mail.example Too many connected clients, try again in a moment", "connections"],
  ["one that is near", "MAIL FROM", "450 4.7.1 too many sessions", "connections"],
  ["one that is near", "CONN", "554 5.7.0 maximum number of connections reached", "connections"],
  ["one that is near", "CONN", "454 4.7.0 Connection limit exceeded", "connections"],
  ["greylisting", "RCPT TO", "450 4.2.0 Greylisted, please try again in an hour", NONE],
  ["greylisting", "RCPT TO", "451 4.7.1 Greylisting in action, please come back in 300 seconds", NONE],
  ["a full mailbox", "RCPT TO", "552 mailbox size quota exceeded", NONE],
  ["an idle connection", "MAIL FROM", "421 4.4.2 Connection idle time exceeded", NONE],
  ["a blocked sender", "MAIL FROM", "550 5.7.1 blocked", NONE],
  [
    "a relay that passes on what it heard",
    "RCPT TO",
    "450 4.1.1 unverified address: host mx said: 421 too many connections",
    NONE,
  ],
  ["the same, of its own", "MAIL FROM", "450 4.1.1 host mx said: 421 too many connections", "connections"],
];

describe("the limit that a server speaks of is understood", () => {
  test.each(SAID)("%s, %s: %s", (_, place, reply, limit) => {
    expect(limitIn(saidAt(place, reply))).toBe(limit);
  });

  test("where connections are asked for, each limit of them may be one too many", () => {
    for (const [, place, reply, limit] of SAID)
      if (place === "CONN" && limit !== undefined) expect(mayBeOneTooMany(saidAt(place, reply))).toBe(true);
  });
});

test("a connection that is refused, closed or never greeted or not secured may be one too many; a wrong name or login is not", () => {
  expect(mayBeOneTooMany(failure(undefined, { code: "ESOCKET", cause: "ECONNREFUSED" }))).toBe(true);
  expect(mayBeOneTooMany(failure(undefined, { code: "ECONNECTION" }))).toBe(true);
  expect(mayBeOneTooMany(failure(undefined, { code: "EDEADLINE", cause: "GREETING_TIMEOUT" }))).toBe(true);
  expect(mayBeOneTooMany(failure("421 4.3.2 not now"))).toBe(true);
  expect(mayBeOneTooMany(failure("454 4.7.0 TLS not available", { code: "ETLS", command: "STARTTLS" }))).toBe(true);
  expect(mayBeOneTooMany(failure(undefined, { code: "EDEADLINE" }))).toBe(false);
  expect(mayBeOneTooMany(failure(undefined, { code: "EDNS" }))).toBe(false);
  expect(mayBeOneTooMany(failure(undefined, { code: "ESOCKET", cause: "CERT_HAS_EXPIRED" }))).toBe(false);
  expect(mayBeOneTooMany(failure(undefined, { code: "ESOCKET", cause: "ERR_SSL_WRONG_VERSION_NUMBER" }))).toBe(true);
  expect(mayBeOneTooMany(failure("535 5.7.8 bad credentials", { code: "EAUTH" }))).toBe(false);
});
