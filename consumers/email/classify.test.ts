import { describe, expect, test } from "bun:test";
import { classify, NO_SUCH_ADDRESS } from "./classify.ts";
import type { SmtpFailure } from "./smtp/failure.ts";

const options = { greylistMs: 300_000, recipient: "ana.li@inbox.example", domain: "inbox.example" };

const answered = (command: string, reply: string, bodyStarted = false, code = "EENVELOPE"): SmtpFailure => ({
  code,
  command,
  reply,
  responseCode: Number(reply.slice(0, 3)),
  cause: undefined,
  bodyStarted,
});
const silent = (code: string, bodyStarted = false, command = "CONN", cause?: string): SmtpFailure => ({
  code,
  command,
  reply: undefined,
  responseCode: undefined,
  cause,
  bodyStarted,
});

const rows: readonly [SmtpFailure, string, string][] = [
  // No connection, DNS, TLS, greeting, authentication, lost before 354: the system's.
  [silent("EDNS"), "unavailable", "dns"],
  [silent("ESOCKET"), "unavailable", "connection_failed"],
  [silent("ESOCKET", false, "CONN", "ECONNRESET"), "unavailable", "connection_failed"],
  [silent("ESOCKET", false, "CONN", "ECONNREFUSED"), "unavailable", "connection_refused"],
  [silent("ESOCKET", false, "CONN", "UNABLE_TO_VERIFY_LEAF_SIGNATURE"), "unavailable", "tls"],
  [silent("ESOCKET", false, "CONN", "DEPTH_ZERO_SELF_SIGNED_CERT"), "unavailable", "tls"],
  [silent("ESOCKET", false, "CONN", "ERR_SSL_WRONG_VERSION_NUMBER"), "unavailable", "tls"],
  [silent("ETIMEDOUT", false, "CONN", "GREETING_TIMEOUT"), "unavailable", "greeting_timeout"],
  [silent("EDEADLINE", false, "CONN", "GREETING_TIMEOUT"), "unavailable", "greeting_timeout"],
  [silent("ETIMEDOUT"), "unavailable", "timeout"],
  [silent("ETLS"), "unavailable", "tls"],
  [silent("ECONNECTION"), "unavailable", "connection_lost"],
  [silent("EDEADLINE"), "unavailable", "deadline"],
  [silent("ECONNECTION", false, "MAIL FROM"), "unavailable", "connection_lost"],
  [silent("EDEADLINE", false, "MAIL FROM"), "unavailable", "deadline"],
  [silent("EPROTOCOL", false, "DATA"), "unavailable", "protocol"],
  [silent("EENVELOPE", false, "MAIL FROM"), "unavailable", "protocol"],
  [silent("EAUTH", false, "AUTH PLAIN"), "unavailable", "auth"],
  [answered("CONN", "554 5.7.1 192.0.2.1 is blocked", false, "EPROTOCOL"), "unavailable", "client_refused"],
  [answered("CONN", "554 5.3.2 no service", false, "EPROTOCOL"), "unavailable", "system_status"],
  [answered("EHLO", "550 no such name", false, "EPROTOCOL"), "unavailable", "client_refused"],
  [answered("CONN", "450 4.7.0 later", false, "EPROTOCOL"), "unavailable", "service_unavailable"],
  [answered("EHLO", "502 not known", false, "EPROTOCOL"), "unavailable", "protocol"],
  [answered("STARTTLS", "454 4.7.0 TLS not available", false, "ETLS"), "unavailable", "tls"],
  [answered("AUTH PLAIN", "535 5.7.8 bad credentials", false, "EAUTH"), "unavailable", "auth"],
  [answered("AUTH LOGIN", "534 5.7.9 stronger please", false, "EAUTH"), "unavailable", "auth"],
  [answered("AUTH PLAIN", "454 4.7.0 try later", false, "EAUTH"), "unavailable", "auth"],
  [answered("MAIL FROM", "530 5.7.0 log in first"), "unavailable", "auth"],
  [answered("RCPT TO", "538 5.7.11 encryption needed"), "unavailable", "auth"],
  [answered("CONN", "421 4.3.2 going down"), "unavailable", "service_unavailable"],
  [answered("MAIL FROM", "421 4.7.0 too many"), "unavailable", "service_unavailable"],
  [answered("RCPT TO", "421 4.7.0 too many"), "unavailable", "service_unavailable"],
  [answered("DATA", "421 4.3.0 going down", true, "EMESSAGE"), "unavailable", "service_unavailable"],
  [answered("MAIL FROM", "550 5.7.1 sender not allowed"), "unavailable", "sender_refused"],
  [answered("MAIL FROM", "553 5.1.8 bad sender"), "unavailable", "sender_refused"],
  [answered("MAIL FROM", "550 5.3.2 system not accepting messages"), "unavailable", "system_status"],
  [answered("MAIL FROM", "503 5.5.1 send EHLO first"), "unavailable", "protocol"],
  [answered("MAIL FROM", "451 4.3.0 later"), "unavailable", "service_unavailable"],
  [answered("MAIL FROM", "452 4.3.1 disk full"), "unavailable", "service_unavailable"],
  [answered("MAIL FROM", "450 4.1.8 sender's domain not found"), "unavailable", "sender_refused"],
  [answered("RCPT TO", "550 5.1.8 sender's domain unknown"), "unavailable", "sender_refused"],
  [answered("RCPT TO", "450 4.1.8 sender's domain not found"), "unavailable", "sender_refused"],
  [
    answered("RCPT TO", "550 5.1.0 <welcome@toblug.example>: Sender address rejected: User unknown in local table"),
    "unavailable",
    "sender_refused",
  ],
  [answered("RCPT TO", "550 5.1.0 sorry, invalid sender address"), "unavailable", "sender_refused"],
  [answered("RCPT TO", "450 4.1.0 Sender address rejected: unverified address"), "unavailable", "sender_refused"],
  [answered("RCPT TO", "354 out of step"), "unavailable", "protocol"],
  // Too fast: the rate is lowered.
  [answered("MAIL FROM", "421 4.7.0 too many messages, slow down"), "unavailable", "too_fast"],
  [answered("RCPT TO", "451 4.7.1 you are sending too fast"), "unavailable", "too_fast"],
  [answered("RCPT TO", "450 4.7.1 rate limited"), "unavailable", "too_fast"],
  [answered("DATA", "454 Throttling failure: Maximum sending rate exceeded.", true), "unavailable", "too_fast"],
  [answered("DATA", "421 4.7.28 unusual rate of mail from your address", true), "unavailable", "too_fast"],
  [answered("MAIL FROM", "450 4.7.1 Error: too much mail from 192.0.2.1"), "unavailable", "too_fast"],
  [answered("DATA", "550 5.7.1 sending rate exceeded", true), "unavailable", "too_fast"],
  // A quota: asked ever more rarely.
  [answered("DATA", "454 Throttling failure: Daily message quota exceeded.", true), "unavailable", "quota_used_up"],
  [answered("DATA", "550-5.4.5 Daily user sending limit exceeded.", true), "unavailable", "quota_used_up"],
  [answered("MAIL FROM", "452 this account has exceeded its daily relay quota"), "unavailable", "quota_used_up"],
  // This connection has had enough.
  [answered("RCPT TO", "452 too many recipients"), "unavailable", "too_many_recipients"],
  // Mailbox full.
  [answered("RCPT TO", "552 5.2.2 mailbox full"), "transient", "mailbox_full"],
  [answered("RCPT TO", "452 4.2.2 mailbox full"), "transient", "mailbox_full"],
  [answered("RCPT TO", "550 5.2.2 over quota"), "transient", "mailbox_full"],
  [answered("DATA", "552 storage exceeded", true, "EMESSAGE"), "transient", "mailbox_full"],
  // Another 552 than that, though: by its code.
  [answered("DATA", "552 5.3.4 Message size exceeds fixed limit", true, "EMESSAGE"), "rejected", "rejected"],
  [answered("DATA", "552-5.7.0 This message was blocked because of its content", true), "rejected", "policy"],
  // Greylisting.
  [answered("RCPT TO", "450 4.2.0 greylisted"), "transient", "greylisted"],
  [answered("RCPT TO", "451 please come back"), "transient", "greylisted"],
  [answered("RCPT TO", "454 4.7.1 come back"), "transient", "greylisted"],
  [answered("DATA", "451 4.7.1 come back", true, "EMESSAGE"), "transient", "greylisted"],
  // Other 4yz on this recipient or content.
  [answered("RCPT TO", "450 4.2.1 mailbox busy", false), "transient", "greylisted"],
  [answered("DATA", "451 4.4.1 no answer from host"), "transient", "try_later"],
  [answered("DATA", "451 try later", true, "EMESSAGE"), "transient", "try_later"],
  // The server's own state, whatever the mail; and more recipients than it takes.
  [answered("RCPT TO", "451 4.3.0 try again later"), "unavailable", "system_status"],
  [answered("DATA", "451 4.3.0 local error"), "unavailable", "system_status"],
  [answered("DATA", "451 4.3.0 local error", true, "EMESSAGE"), "unavailable", "system_status"],
  [answered("DATA", "452 4.3.1 disk full", true, "EMESSAGE"), "unavailable", "system_status"],
  [answered("RCPT TO", "554 5.3.5 Local configuration error"), "unavailable", "system_status"],
  [answered("DATA", "550 5.3.2 system not accepting mail", true, "EMESSAGE"), "unavailable", "system_status"],
  [answered("DATA", "503 5.5.1 out of order"), "unavailable", "protocol"],
  [answered("RCPT TO", "452 4.5.3 too many recipients"), "unavailable", "too_many_recipients"],
  // No connection for the mail.
  [
    answered("CONN", "421 4.7.0 too many connections from 192.0.2.1", false, "EPROTOCOL"),
    "unavailable",
    "connection_limit",
  ],
  [answered("MAIL FROM", "432 4.3.2 sender thread limit exceeded"), "unavailable", "connection_limit"],
  [silent("EBUSY"), "released", "no_free_connection"],
  // No such address.
  [answered("RCPT TO", "550 5.1.1 no such user"), "rejected", "no_such_address"],
  [answered("RCPT TO", "550-5.1.1 no such\n550 5.1.1 user"), "rejected", "no_such_address"],
  [answered("RCPT TO", "553 5.1.3 bad syntax"), "rejected", "no_such_address"],
  [answered("RCPT TO", "550 #5.1.0 address rejected"), "rejected", "no_such_address"],
  [answered("RCPT TO", "556 5.1.10 null MX"), "rejected", "no_such_address"],
  [answered("DATA", "550 5.1.1 no such user", true, "EMESSAGE"), "rejected", "no_such_address"],
  // Refused for good, the address is not to blame.
  [answered("RCPT TO", "550 5.7.1 blocked"), "rejected", "policy"],
  [answered("DATA", "554 5.7.1 looks like spam", true, "EMESSAGE"), "rejected", "policy"],
  [answered("RCPT TO", "550 no"), "rejected", "rejected"],
  [answered("RCPT TO", "553 no"), "rejected", "rejected"],
  [answered("DATA", "554 5.6.0 bad content", true, "EMESSAGE"), "rejected", "rejected"],
  // Neither a recipient's own address nor what is said beside its code makes it a limit, or the sender's fault.
  [answered("RCPT TO", "550 5.1.1 <throttled@inbox.example>: User unknown"), "rejected", "no_such_address"],
  [answered("RCPT TO", "550 5.1.1 <daily.limit@inbox.example>: User unknown"), "rejected", "no_such_address"],
  [answered("RCPT TO", "550 <rate.limit@inbox.example>: not here"), "rejected", "rejected"],
  [answered("RCPT TO", "550 5.1.1 no such user (throttling unknown users)"), "rejected", "no_such_address"],
  [answered("RCPT TO", "550 5.1.0 <sender@inbox.example>: User unknown"), "rejected", "no_such_address"],
  [answered("RCPT TO", "550 5.1.1 User unknown; the sender should check it"), "rejected", "no_such_address"],
  // Cut off or too late after 354.
  [silent("ECONNECTION", true), "uncertain", "connection_lost_after_data"],
  [silent("ESOCKET", true), "uncertain", "connection_lost_after_data"],
  [silent("ETIMEDOUT", true), "uncertain", "connection_lost_after_data"],
  [silent("EDEADLINE", true), "uncertain", "deadline_after_data"],
  // Neither yes nor no to the body.
  [answered("DATA", "354 go on", true, "EMESSAGE"), "uncertain", "unclear_answer"],
  // An answer to the body that was cut off in mid-line: nodemailer gives it as CONN. The code says it all.
  [answered("CONN", "550 5.7.1 bl", true, "ECONNECTION"), "rejected", "policy"],
  [answered("CONN", "451 4.3.0 lat", true, "ECONNECTION"), "unavailable", "system_status"],
  [answered("CONN", "421 4.3.0 go", true, "ECONNECTION"), "unavailable", "service_unavailable"],
  // Called back by ourselves.
  [silent("ECALLEDBACK"), "released", "called_back"],
];

describe("a login that is refused may lock the account with each time", () => {
  test.each([
    ["of its credentials", answered("AUTH PLAIN", "535 5.7.8 bad credentials", false, "EAUTH"), true],
    [
      "of too many, for now",
      answered("AUTH PLAIN", "454 4.7.0 Too many login attempts, slow down", false, "EAUTH"),
      true,
    ],
    [
      "of too many, with its connection",
      answered("AUTH PLAIN", "421 4.7.0 Too many bad auth attempts", false, "EAUTH"),
      true,
    ],
    ["of too many, at the greeting", answered("CONN", "421 Too many failed authentications", false, "EPROTOCOL"), true],
    ["not of a directory that is away", answered("AUTH PLAIN", "454 4.7.0 try later", false, "EAUTH"), false],
    ["not of connections", answered("CONN", "421 too many unauthenticated connections", false, "EPROTOCOL"), false],
    ["not of what is said of a mail", answered("RCPT TO", "450 too many login failures of this user"), false],
  ])("because %s", (_, failure, isHarmful) => {
    const outcome = classify(failure, options);
    expect(outcome.kind === "unavailable" && outcome.isHarmful === true).toBe(isHarmful);
    if (isHarmful) expect(outcome).toMatchObject({ reason: "auth", reply: failure.reply });
  });
});

test("a quota that is used up is asked for ever more rarely, unless it is the domain's", () => {
  const said = answered("DATA", "454 Throttling failure: Daily message quota exceeded.", true);
  expect(classify(said, options)).toMatchObject({ reason: "quota_used_up", isHarmful: true, reply: said.reply ?? "" });
  const passedOn = classify({ ...said, isOfDomain: true }, options);
  expect(passedOn).toMatchObject({ kind: "unavailable", reason: "quota_used_up", party: "inbox.example" });
  expect(passedOn).not.toHaveProperty("isHarmful");
});

test.each([
  "550-5.4.5 Daily user sending limit exceeded",
  "550 5.1.90 You have reached your daily limit for message recipients",
])("a quota ends, whoever's it is: nobody is refused for good by %s", (reply) => {
  const said = { ...answered("RCPT TO", reply), isOfDomain: true };
  expect(classify(said, options)).toMatchObject({ kind: "unavailable", party: "inbox.example" });
});

test.each([
  ["RCPT TO", "550 Sender rate overlimit - 81.2 / 1h", false],
  ["DATA", "550 5.7.0 Requested action not taken: too many emails per second", true],
])("a limit ends, whatever its code: nobody is refused for good at %s by %s", (command, reply, bodyStarted) => {
  const said = answered(command, reply, bodyStarted);
  const passedOn = classify({ ...said, isOfDomain: true }, options);
  expect(passedOn).toMatchObject({ kind: "unavailable", reason: "too_fast", party: "inbox.example" });
  expect(passedOn).not.toHaveProperty("hasNoRoom");
  expect(classify(said, options)).toMatchObject({ kind: "unavailable", reason: "too_fast", hasNoRoom: true });
});

test.each([
  ["RCPT TO", "451 4.7.1 Try again later", false],
  ["DATA", "452 4.3.1 not now", true],
  ["RCPT TO", "550 5.7.1 rate limit exceeded", false],
])("what a rate may have refused is back soon, and uses up no attempt: at %s, %s", (command, reply, bodyStarted) => {
  const said = { ...answered(command, reply, bodyStarted), secondLookMs: 0 };
  const soon = {
    kind: "unavailable",
    reason: "too_fast",
    reply,
    party: "inbox.example",
    minDelayMs: 0,
    hasNoRoom: true,
  } as const;
  expect(classify(said, options)).toEqual(soon);
});

describe("what is said of one recipient is said of its domain at the most", () => {
  test.each([
    [
      "the sender is refused",
      answered("RCPT TO", "550 5.1.8 Sender address rejected: Domain not found"),
      "sender_refused",
    ],
    ["the server goes", answered("DATA", "421 4.3.0 going down", true, "EMESSAGE"), "service_unavailable"],
    ["nobody is logged in", answered("RCPT TO", "530 5.7.0 log in first"), "auth"],
    ["a rate", { ...answered("RCPT TO", "450 4.7.1 rate limit exceeded"), isOfDomain: true }, "too_fast"],
    [
      "a limit",
      { ...answered("DATA", "421 too many connections", true, "EMESSAGE"), isOfDomain: true },
      "connection_limit",
    ],
  ])("%s", (_, failure, reason) => {
    expect(classify(failure, options)).toMatchObject({
      ...{ kind: "unavailable", reason, reply: failure.reply ?? "", party: "inbox.example" },
    });
  });
});

describe("what a failed send means", () => {
  test.each(rows.map(([failure, kind, reason]) => [failure.reply ?? failure.code, failure, kind, reason] as const))(
    "%s",
    (_, failure, kind, reason) => {
      expect(classify(failure, options)).toMatchObject({ kind, reason });
    },
  );

  test("who refuses is the recipient's domain, but for an address that does not exist", () => {
    const rejected = rows.map(([failure]) => classify(failure, options)).filter((each) => each.kind === "rejected");
    for (const { reason, party } of rejected) {
      expect(party).toBe(reason === NO_SUCH_ADDRESS ? undefined : "inbox.example");
    }
  });

  test("refusals that need a second look are one, whichever node of the domain gives which", () => {
    for (const outcome of rows.map(([failure]) => classify(failure, options))) {
      if (outcome.kind !== "rejected" || outcome.party === undefined) continue;
      expect(outcome.alike).toEqual(expect.arrayContaining(["policy", "rejected"]));
    }
  });

  test("a mailbox that is full may be the server's disk: it is the domain's if all its mailboxes are", () => {
    expect(classify(answered("RCPT TO", "452 4.2.2 mailbox full"), options)).toMatchObject({ party: "inbox.example" });
  });

  test("greylisting delays by at least `greylistMs`", () => {
    expect(classify(answered("RCPT TO", "451 4.7.1 later"), options)).toMatchObject({ minDelayMs: 300_000 });
  });

  test("what had no connection is back soon: a peer may have one", () => {
    const soon = rows
      .map(([failure]) => [failure, classify(failure, options)] as const)
      .flatMap(([failure, outcome]) =>
        outcome.kind === "unavailable" && outcome.isUnreached === true ? [failure] : [],
      );
    expect(soon).toEqual(
      expect.arrayContaining([
        silent("EDNS"),
        silent("ESOCKET", false, "CONN", "ECONNREFUSED"),
        silent("ECONNECTION"),
        answered("STARTTLS", "454 4.7.0 TLS not available", false, "ETLS"),
        answered("CONN", "421 4.3.2 going down"),
      ]),
    );
    // A wrong password is not asked about more often, and what was said of a mail takes its time.
    const commands = soon.map(({ command }) => command);
    const never = new Set(["MAIL FROM", "RCPT TO", "DATA"]);
    expect(commands.filter((command) => command.startsWith("AUTH") || never.has(command))).toEqual([]);
  });

  test("the stored reply has a bounded length", () => {
    const outcome = classify(answered("RCPT TO", `550 ${"no ".repeat(5_000)}`), options);
    expect(JSON.stringify(outcome).length).toBeLessThan(700);
  });

  test("the recipient's address is taken out of the reply", () => {
    const outcome = classify(answered("RCPT TO", "550 5.1.1 <ana.li@inbox.example>: no user Ana.Li here"), options);
    expect(outcome).toMatchObject({ reply: "550 5.1.1 <<address>>: no user <address> here" });
  });
});
