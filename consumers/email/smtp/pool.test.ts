import { describe, expect, test } from "bun:test";
import { eventually } from "../../../tests/eventually.ts";
import { refusal, startMailServer } from "../../../tests/mail-server.ts";
import { type Phase, type Script, startScriptedServer } from "../../../tests/scripted-smtp-server.ts";
import type { OutgoingMail } from "./outgoing-mail.ts";
import { createSmtpPool } from "./pool.ts";
import type { SmtpPoolOptions } from "./pool-options.ts";

const aMail = (parts: Partial<OutgoingMail> = {}): OutgoingMail => ({
  from: "welcome@toblug.example",
  to: "user@inbox.example",
  raw: Buffer.from("Subject: hello\r\n\r\n.a line with a dot\r\n"),
  beforeBody: () => true,
  ...parts,
});
const never = new AbortController().signal;

const poolOn = (port: number, options: Partial<SmtpPoolOptions> = {}) =>
  createSmtpPool({ server: { host: "127.0.0.1", port, tls: "none" }, size: 2, sendDeadlineMs: 5_000, ...options });

describe("the pool", () => {
  test("reuses connections, at most `size`", async () => {
    await using server = await startMailServer();
    const pool = poolOn(server.port, { size: 3 });
    const results = await Promise.all(Array.from({ length: 30 }, () => pool.send(aMail(), never)));
    expect(results.every((result) => result.kind === "accepted")).toBe(true);
    expect(server.taken).toHaveLength(30);
    expect(server.taken[0]).toMatchObject({ from: "welcome@toblug.example", to: ["user@inbox.example"] });
    expect(server.taken[0]?.raw).toContain("\r\n.a line with a dot");
    expect(server.connections()).toBeLessThanOrEqual(3);
    expect(pool.busy()).toBe(0);
    await pool.close();
  });

  test("reuses the connection after a clean refusal", async () => {
    await using server = await startScriptedServer({ RCPT: "550 5.7.1 blocked" });
    const pool = poolOn(server.port, { size: 1 });
    for (let time = 0; time < 3; time += 1) {
      const result = await pool.send(aMail(), never);
      expect(result).toMatchObject({ kind: "failed", failure: { responseCode: 550, command: "RCPT TO" } });
    }
    expect(server.connections()).toBe(1);
    await pool.close();
  });

  test("a connection that the server closed while it was idle: the mail is sent at once over a new one", async () => {
    await using server = await startScriptedServer({ oneMailEach: true });
    const pool = poolOn(server.port, { size: 1 });
    for (let time = 0; time < 5; time += 1) {
      expect(await pool.send(aMail(), never)).toMatchObject({ kind: "accepted" });
    }
    expect(server.bodies).toHaveLength(5);
    await pool.close();
  });

  test.each<[Phase, string]>([
    ["greeting", "before"],
    ["EHLO", "before"],
    ["MAIL", "before"],
    ["RCPT", "before"],
    ["DATA", "before"],
    ["body", "after"],
  ])("cut off at %s: the failure is %s the body", async (phase, when) => {
    await using server = await startScriptedServer({ [phase]: "cut" } satisfies Script);
    const pool = poolOn(server.port);
    const result = await pool.send(aMail(), never);
    expect(result).toMatchObject({
      kind: "failed",
      failure: { responseCode: undefined, bodyStarted: when === "after" },
    });
    await pool.close();
  });

  test.each<Phase>(["greeting", "EHLO", "MAIL", "RCPT", "DATA", "body"])(
    "a server that is silent at %s: the deadline ends the send",
    async (phase) => {
      await using server = await startScriptedServer({ [phase]: "silence" } satisfies Script);
      // The body is five answers away.
      const pool = poolOn(server.port, { sendDeadlineMs: phase === "body" ? 1_000 : 200 });
      const result = await pool.send(aMail(), never);
      expect(result).toMatchObject({ kind: "failed", failure: { bodyStarted: phase === "body" } });
      expect(pool.busy()).toBe(0);
      await pool.close();
    },
  );

  test("a server that greets nobody is away, however many ask: this is no limit of connections", async () => {
    await using server = await startScriptedServer({ greeting: "silence" });
    const pool = poolOn(server.port, { size: 4, sendDeadlineMs: 300 });
    const results = await Promise.all(Array.from({ length: 4 }, () => pool.send(aMail(), never)));
    for (const result of results) {
      expect(result).toMatchObject({ kind: "failed", failure: { code: "EDEADLINE", cause: "GREETING_TIMEOUT" } });
    }
    expect(pool.isLimited()).toBe(false);
    await pool.close();
  });

  test("cancelled before the body: the server receives no body", async () => {
    await using server = await startScriptedServer({});
    const pool = poolOn(server.port);
    const result = await pool.send(aMail({ beforeBody: () => false }), never);
    expect(result).toMatchObject({ kind: "failed", failure: { code: "ECALLEDBACK", bodyStarted: false } });
    expect(server.commands.at(-1)).toBe("DATA");
    expect(server.bodies).toEqual([]);
    await pool.close();
  });

  test("an abort ends a send before its body, and not after", async () => {
    await using silent = await startScriptedServer({ RCPT: "silence" });
    const abort = new AbortController();
    const early = poolOn(silent.port);
    const called = early.send(aMail(), abort.signal);
    await eventually(() => silent.commands.some((command) => command.startsWith("RCPT")));
    abort.abort();
    expect(await called).toMatchObject({ kind: "failed", failure: { code: "ECALLEDBACK" } });

    const answer = Promise.withResolvers<void>();
    await using slow = await startMailServer({ beforeReply: () => answer.promise });
    const late = poolOn(slow.port);
    const abortLate = new AbortController();
    const started = Promise.withResolvers<void>();
    const sent = late.send(
      aMail({
        beforeBody: () => {
          started.resolve();
          return true;
        },
      }),
      abortLate.signal,
    );
    await started.promise;
    abortLate.abort();
    answer.resolve();
    expect(await sent).toMatchObject({ kind: "accepted" });
    await Promise.all([early.close(), late.close()]);
  });

  test("an abort removes a mail from the queue", async () => {
    await using server = await startScriptedServer({ body: "silence" });
    const pool = poolOn(server.port, { size: 1, sendDeadlineMs: 500 });
    const first = pool.send(aMail(), never);
    const abort = new AbortController();
    const second = pool.send(aMail(), abort.signal);
    abort.abort();
    expect(await second).toMatchObject({ kind: "failed", failure: { code: "ECALLEDBACK" } });
    await first;
    await pool.close();
  });

  test("the same holds with a server that pipelines", async () => {
    await using server = await startScriptedServer({ body: "cut" }, "250-scripted\r\n250 PIPELINING");
    const pool = poolOn(server.port);
    expect(await pool.send(aMail(), never)).toMatchObject({ kind: "failed", failure: { bodyStarted: true } });
    expect(await pool.send(aMail({ beforeBody: () => false }), never)).toMatchObject({
      failure: { code: "ECALLEDBACK", bodyStarted: false },
    });
    expect(server.bodies).toHaveLength(1);
    await pool.close();
  });

  test("no server: a failure of the connection, before the body", async () => {
    const pool = poolOn(1);
    expect(await pool.send(aMail(), never)).toMatchObject({ kind: "failed", failure: { bodyStarted: false } });
    await pool.close();
  });
});

describe("a pool without a connection, because others have all", () => {
  const refusing = async () => {
    let isFull = true;
    const server = await startMailServer({
      onConnect: (_session, done) => done(isFull ? refusal(421, "4.7.0 too many connections") : undefined),
    });
    const pool = poolOn(server.port, { size: 5 });
    const sends = Array.from({ length: 10 }, () => pool.send(aMail(), never));
    const room = () => {
      isFull = false;
    };
    return { server, pool, sends, room };
  };

  test("gives back what it has, wants no more, and tells the server's words", async () => {
    const { server, pool, sends } = await refusing();
    await using _ = server;
    for (const result of await Promise.all(sends)) {
      expect(result).toMatchObject({ kind: "failed", failure: { code: "EBUSY", bodyStarted: false } });
    }
    expect(pool.granted()).toBe(0);
    expect(pool.words()).toContain("too many connections");
    expect(await pool.send(aMail(), never)).toMatchObject({ kind: "failed", failure: { code: "EBUSY" } });
    await pool.close();
  });

  test("asks for one, without a mail, and grows from there", async () => {
    const { server, pool, sends, room } = await refusing();
    await using _ = server;
    await Promise.all(sends);
    room();
    await eventually(() => pool.granted() === 1);
    expect(await pool.send(aMail(), never)).toMatchObject({ kind: "accepted" });
    await eventually(async () => {
      await Promise.all(Array.from({ length: 20 }, () => pool.send(aMail(), never)));
      return pool.granted() === 5;
    });
    await pool.close();
  });
});
