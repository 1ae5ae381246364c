import { describe, expect, test } from "bun:test";
import type { Recipient } from "../../database/users/recipients.ts";
import type { Locale } from "../../stream/events/user-signed-up.ts";
import { parseMail, startMailServer } from "../../tests/mail-server.ts";
import { type Phase, type Script, startScriptedServer } from "../../tests/scripted-smtp-server.ts";
import type { Outcome } from "../engine/handler.ts";
import { createMessageBuilder } from "./message.ts";
import { sendMail } from "./send.ts";
import { createSmtpPool } from "./smtp/pool.ts";
import type { SmtpServer } from "./smtp/session.ts";
import { WELCOME } from "./templates/welcome.ts";

const eventId = "01a2109c-053e-74f1-9982-4e9657eb2cfd";
const fromAddress = "welcome@toblug.example";

const aRecipient = (parts: Partial<Recipient> = {}): Recipient => ({
  userId: "01a2109c-053e-74f1-9982-4e9657eb2cfe",
  userName: "Ánh",
  email: "user@inbox.example",
  emailKey: "user@inbox.example",
  isSuppressed: false,
  isVerified: false,
  ...parts,
});

interface Attempted {
  readonly recipient?: Recipient;
  readonly locale?: Locale;
  readonly server?: Partial<SmtpServer>;
  readonly sendDeadlineMs?: number;
  readonly commit?: () => boolean;
  readonly signal?: AbortSignal;
  readonly suppressed?: Recipient[];
}

/** One attempt over a pool of its own, ended by `sendDeadlineMs`. */
const attemptOnce = async (port: number, options: Attempted = {}): Promise<Outcome> => {
  const { recipient = aRecipient(), locale = "vi", server = {}, sendDeadlineMs = 5_000 } = options;
  const { commit = () => true, signal = new AbortController().signal, suppressed = [] } = options;
  const pool = createSmtpPool({ server: { host: "127.0.0.1", port, tls: "none", ...server }, size: 1, sendDeadlineMs });
  const build = createMessageBuilder({
    fromAddress,
    fromName: "Toblug",
    brandName: "Toblug",
    publicUrl: "https://toblug.example/",
    kind: "welcome",
    words: WELCOME,
  });
  const message = {
    eventId,
    token: "a-Z_9".repeat(14),
    notMeToken: "b-Y_8".repeat(14),
    locale,
    userName: recipient.userName,
    date: new Date("2026-11-25T00:00:00Z"),
  };
  const outcome = await sendMail(
    {
      group: "welcome-email",
      pool,
      greylistMs: 300_000,
      suppress: async (unknown) => void suppressed.push(unknown),
      now: () => performance.now(),
    },
    { recipient, from: fromAddress, build: (to) => build({ ...message, to }) },
    { eventId, ageMs: 0, failures: 0, isDoubtful: false, isSlow: () => false },
    { signal, begins: () => {}, commit },
  );
  await pool.close();
  return outcome;
};

describe("the welcome mail of one signup", () => {
  test("taken: the answer without addresses, and the Message-ID", async () => {
    await using server = await startScriptedServer({ body: "250 2.0.0 taken for <user@inbox.example>" });
    expect(await attemptOnce(server.port)).toEqual({
      kind: "done",
      reply: "250 2.0.0 taken for <<address>>",
      receipt: `<${eventId}.welcome@toblug.example>`,
    });
  });

  test("a name from right to left, and one of markup, arrive as they were typed", async () => {
    await using server = await startMailServer();
    for (const userName of ["محمد علي", "<script>alert(1)</script>"]) {
      await attemptOnce(server.port, { recipient: aRecipient({ userName }), locale: "en" });
      const mail = await parseMail(server.taken.at(-1)?.raw ?? "");
      expect(mail.subject).toBe("Welcome to Toblug!");
      expect(mail.text).toContain(`Hello ${userName},`);
      expect(mail.html).toContain(`<bdi>${Bun.escapeHTML(userName)}</bdi>`);
      expect(mail.html).not.toContain("<script>");
    }
  });

  test("an address that is not valid in an envelope is rejected without a connection", async () => {
    await using server = await startMailServer();
    const recipient = aRecipient({ email: "a@inbox.example\r\nRCPT TO:<evil@evil.example>" });
    expect(await attemptOnce(server.port, { recipient })).toMatchObject({
      kind: "rejected",
      reason: "invalid_address",
    });
    expect(server.connections()).toBe(0);
  });

  test("a domain of another script goes out in ASCII, in the envelope and in the header", async () => {
    await using server = await startScriptedServer({});
    await attemptOnce(server.port, { recipient: aRecipient({ email: "user@bücher.example" }) });
    expect(server.commands).toContain("RCPT TO:<user@xn--bcher-kva.example>");
    expect(server.bodies[0]).toContain("<user@xn--bcher-kva.example>");
  });

  test("aborted before the body: released, and nothing was sent", async () => {
    await using server = await startScriptedServer({});
    expect(await attemptOnce(server.port, { commit: () => false })).toMatchObject({ kind: "released" });
    expect(server.bodies).toEqual([]);
  });

  test("aborted with a reason: released for that reason", async () => {
    await using server = await startScriptedServer({});
    const signal = AbortSignal.abort("stopped");
    expect(await attemptOnce(server.port, { signal })).toEqual({ kind: "released", reason: "stopped" });
  });
});

describe("what becomes of it when the server", () => {
  test.each<[Phase, Outcome["kind"]]>([
    ["greeting", "unavailable"],
    ["EHLO", "unavailable"],
    ["AUTH", "unavailable"],
    ["MAIL", "unavailable"],
    ["RCPT", "unavailable"],
    ["DATA", "unavailable"],
    ["body", "uncertain"],
  ])("cuts it off at %s: %s", async (phase, kind) => {
    await using server = await startScriptedServer(
      { AUTH: "235 2.7.0 ok", [phase]: "cut" } satisfies Script,
      "250-scripted\r\n250 AUTH PLAIN",
    );
    const login = { username: "welcome", password: "secret" };
    expect(await attemptOnce(server.port, { server: login })).toMatchObject({ kind });
  });

  test.each(["cut", "250 go ahead"])("answers STARTTLS with %j and then no TLS: unavailable", async (action) => {
    const script: Script = { STARTTLS: (time) => (time === 1 ? action : "cut") };
    await using server = await startScriptedServer(script, "250-scripted\r\n250 STARTTLS");
    const outcome = await attemptOnce(server.port, { server: { tls: "starttls" }, sendDeadlineMs: 500 });
    expect(outcome).toMatchObject({ kind: "unavailable" });
    expect(server.commands.filter((command) => command.startsWith("MAIL"))).toEqual([]);
  });

  test.each<[Phase, Outcome["kind"]]>([
    ["EHLO", "unavailable"],
    ["MAIL", "unavailable"],
    ["RCPT", "unavailable"],
    ["DATA", "unavailable"],
    ["body", "uncertain"],
  ])("drips at %s without end: %s, when the deadline is over", async (phase, kind) => {
    let isDripping = false;
    const drip = () => {
      isDripping = true;
      return "drip" as const;
    };
    await using server = await startScriptedServer({ [phase]: drip } satisfies Script);
    let outcome: Outcome | undefined;
    // On a slow machine the deadline is over before the server comes to it.
    for (let sendDeadlineMs = 150; !isDripping; sendDeadlineMs *= 2) {
      outcome = await attemptOnce(server.port, { sendDeadlineMs });
    }
    expect(outcome).toMatchObject({ kind });
  });

  test.each<[Phase, "cut" | "silence", boolean]>([
    ["greeting", "cut", true],
    ["EHLO", "cut", true],
    ["EHLO", "silence", true],
    ["MAIL", "cut", false],
    ["MAIL", "silence", false],
    ["RCPT", "cut", false],
    ["DATA", "silence", false],
  ])("at %s answers by %j: had no connection: %p", async (phase, action, isUnreached) => {
    for (const ehlo of ["250 scripted", "250-scripted\r\n250 PIPELINING"]) {
      await using server = await startScriptedServer({ [phase]: action } satisfies Script, ehlo);
      let outcome: Outcome | undefined;
      // On a slow machine the deadline is over before the server comes to it.
      const hasCome = () => phase === "greeting" || server.commands.some((line) => line.startsWith(phase));
      for (let sendDeadlineMs = 150; outcome === undefined || !hasCome(); sendDeadlineMs *= 2) {
        outcome = await attemptOnce(server.port, { sendDeadlineMs });
      }
      expect(outcome.kind).toBe("unavailable");
      expect(outcome.kind === "unavailable" && (outcome.isUnreached ?? false)).toBe(isUnreached);
    }
  });

  test("never greets: unavailable, `greeting_timeout`", async () => {
    await using server = await startScriptedServer({ greeting: "silence" });
    const outcome = await attemptOnce(server.port, { sendDeadlineMs: 100 });
    expect(outcome).toEqual({ kind: "unavailable", reason: "greeting_timeout", isUnreached: true });
  });

  test("is not there: unavailable, `connection_refused`", async () => {
    const port = await (async () => {
      await using gone = await startScriptedServer({});
      return gone.port;
    })();
    expect(await attemptOnce(port)).toEqual({ kind: "unavailable", reason: "connection_refused", isUnreached: true });
  });

  test("refuses the body: rejected, not uncertain", async () => {
    await using later = await startScriptedServer({ body: "451 4.4.1 later" });
    expect(await attemptOnce(later.port)).toMatchObject({ kind: "transient", reason: "try_later" });
    await using no = await startScriptedServer({ body: "554 5.7.1 looks like spam" });
    expect(await attemptOnce(no.port)).toMatchObject({ kind: "rejected", reason: "policy" });
  });

  test("pipelines, refuses the recipient and goes on to DATA all the same: refused, and nothing was sent", async () => {
    let bodiesAllowed = 0;
    await using server = await startScriptedServer(
      { RCPT: "550 5.1.1 no such user" },
      "250-scripted\r\n250 PIPELINING",
    );
    const commit = () => {
      bodiesAllowed += 1;
      return true;
    };
    const suppressed: Recipient[] = [];
    const outcome = await attemptOnce(server.port, { commit, suppressed });
    expect(outcome).toMatchObject({ kind: "rejected", reason: "no_such_address" });
    expect(suppressed).toEqual([aRecipient()]);
    expect(bodiesAllowed).toBe(0);
    expect(server.bodies.join("")).toBe("");
  });
});
