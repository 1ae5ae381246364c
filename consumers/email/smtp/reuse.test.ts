import { describe, expect, test } from "bun:test";
import { eventually } from "../../../tests/eventually.ts";
import { startMailServer } from "../../../tests/mail-server.ts";
import { startScriptedServer } from "../../../tests/scripted-smtp-server.ts";
import type { OutgoingMail } from "./outgoing-mail.ts";
import { createSmtpPool } from "./pool.ts";
import type { SmtpPoolOptions } from "./pool-options.ts";

const aMail = (parts: Partial<OutgoingMail> = {}): OutgoingMail => ({
  from: "welcome@toblug.example",
  to: "user@inbox.example",
  raw: Buffer.from("Subject: hello\r\n\r\nhello\r\n"),
  beforeBody: () => true,
  ...parts,
});
const never = new AbortController().signal;

const poolOn = (port: number, options: Partial<SmtpPoolOptions> = {}) =>
  createSmtpPool({ server: { host: "127.0.0.1", port, tls: "none" }, size: 1, sendDeadlineMs: 5_000, ...options });

const countOf = (commands: readonly string[], verb: string) => commands.filter((each) => each.startsWith(verb)).length;

describe("a connection that is used again", () => {
  test.each(["550 5.7.1 blocked", "421 4.7.0 try again later"])(
    "after many refusals (%s) is still the same one, and has gathered no listeners",
    async (refusal) => {
      const warnings: string[] = [];
      const note = (warning: Error) => warnings.push(warning.name);
      process.on("warning", note);
      await using server = await startScriptedServer({ RCPT: refusal });
      const pool = poolOn(server.port);
      for (let time = 0; time < 15; time += 1) await pool.send(aMail(), never);
      await pool.close();
      process.off("warning", note);
      expect(server.connections()).toBe(1);
      expect(countOf(server.commands, "RSET")).toBe(14);
      expect(warnings).toEqual([]);
    },
  );

  test("a refusal is returned at once, even if the server never answers RSET", async () => {
    await using server = await startScriptedServer({ RCPT: "550 5.7.1 blocked", RSET: "silence" });
    const pool = poolOn(server.port, { sendDeadlineMs: 1_500 });
    expect(await pool.send(aMail(), never)).toMatchObject({ failure: { responseCode: 550 } });
    expect(await pool.send(aMail(), never)).toMatchObject({ failure: { code: "EDEADLINE", bodyStarted: false } });
    await pool.close();
  });

  test.each(["cut", "421 4.4.2 idle for too long"])(
    "closed by the server when the next mail begins (%s): the mail is sent at once, over a new one, and once",
    async (action) => {
      await using server = await startScriptedServer({ MAIL: (time) => (time === 1 ? "250 ok" : action) });
      const pool = poolOn(server.port);
      for (let time = 0; time < 4; time += 1) {
        expect(await pool.send(aMail(), never)).toMatchObject({ kind: "accepted" });
      }
      expect(server.bodies).toHaveLength(4);
      expect(server.connections()).toBe(4);
      await pool.close();
    },
  );

  test.each(["550 5.7.1 blocked", "421 4.7.0 try again later"])(
    "closed at RSET, after %s: the same",
    async (refusal) => {
      await using server = await startScriptedServer({
        RCPT: () => (server.connections() === 1 ? refusal : "250 ok"),
        RSET: "cut",
      });
      const pool = poolOn(server.port);
      expect(await pool.send(aMail(), never)).toMatchObject({ failure: { reply: refusal } });
      expect(await pool.send(aMail(), never)).toMatchObject({ kind: "accepted" });
      await pool.close();
    },
  );

  test("lost after the body began: the pool does not send the mail again", async () => {
    await using server = await startScriptedServer({ body: (time) => (time === 1 ? "250 ok" : "cut") });
    const pool = poolOn(server.port);
    await pool.send(aMail(), never);
    expect(await pool.send(aMail(), never)).toMatchObject({ kind: "failed", failure: { bodyStarted: true } });
    expect(server.bodies).toHaveLength(2);
    await pool.close();
  });

  test("an unclear reply to the body, and a 530, close it", async () => {
    await using server = await startScriptedServer({ body: "354 go on", MAIL: () => mailAnswer });
    let mailAnswer = "250 ok";
    const pool = poolOn(server.port);
    await pool.send(aMail(), never);
    mailAnswer = "530 5.7.0 log in first";
    await pool.send(aMail(), never);
    await pool.send(aMail(), never);
    expect(server.connections()).toBe(3);
    await pool.close();
  });

  test("is closed after a third of that time where another one stands in for it", async () => {
    await using server = await startScriptedServer({});
    const pool = poolOn(server.port, { size: 3, maxIdleMs: 3_000 });
    await Promise.all([aMail(), aMail(), aMail()].map((mail) => pool.send(mail, never)));
    expect(server.connections()).toBe(3);
    await eventually(() => countOf(server.commands, "QUIT") === 2);
    await pool.send(aMail(), never);
    expect(server.connections()).toBe(3);
    await pool.close();
  });

  test("is closed with QUIT when it was idle for long, when it has sent its number of mails, and at the end", async () => {
    await using server = await startScriptedServer({});
    const idle = poolOn(server.port, { maxIdleMs: 30 });
    await idle.send(aMail(), never);
    await eventually(() => countOf(server.commands, "QUIT") === 1);
    await idle.close();

    const counted = poolOn(server.port, { maxMailsPerConnection: 2, minAgeMs: 0 });
    for (let time = 0; time < 4; time += 1) await counted.send(aMail(), never);
    await counted.close();
    expect(server.connections()).toBe(3);
    expect(countOf(server.commands, "QUIT")).toBe(3);

    const ended = poolOn(server.port);
    await ended.send(aMail(), never);
    await ended.close();
    expect(countOf(server.commands, "QUIT")).toBe(4);
  });
});

describe("the number of mails over a connection", () => {
  test("is no reason to close one that is young: reconnecting would cost more than the mails", async () => {
    await using server = await startScriptedServer({});
    const pool = poolOn(server.port, { maxMailsPerConnection: 2, minAgeMs: 60_000 });
    for (let time = 0; time < 7; time += 1) await pool.send(aMail(), never);
    await pool.close();
    expect(server.connections()).toBe(1);
  });

  test.each([
    "421 too many messages in this connection",
    "421 4.7.0 Maximum number of messages per connection exceeded",
    "451 4.5.0 Too many mails for this session",
  ])(
    "is the server's to limit (%s): the next mail goes over a new one, and no pace or limit is learned",
    async (reply) => {
      await using server = await startScriptedServer({ MAIL: (time) => (time <= 3 ? "250 ok" : reply) });
      const pool = poolOn(server.port, { size: 4 });
      for (let time = 0; time < 7; time += 1) {
        expect(await pool.send(aMail(), never)).toMatchObject({ kind: "accepted" });
      }
      expect(server.connections()).toBe(3);
      expect(server.bodies).toHaveLength(7);
      expect(pool.perSecond()).toBeUndefined();
      expect(pool.isLimited()).toBe(false);
      await pool.close();
    },
  );

  test("may be counted at each recipient: no mail fails for it, however many connections are busy", async () => {
    const reply = (time: number) => (time <= 2 ? "250 ok" : "452 4.5.3 too many recipients");
    await using server = await startScriptedServer({ RCPT: reply });
    const pool = poolOn(server.port, { size: 4 });
    const sent = await Promise.all(Array.from({ length: 60 }, () => pool.send(aMail(), never)));
    expect(sent.filter(({ kind }) => kind !== "accepted")).toEqual([]);
    await pool.close();
  });

  test("is not asked of each connection in turn: a recipient's server says so, too", async () => {
    let reply = "250 ok";
    await using server = await startScriptedServer({ RCPT: () => reply });
    const pool = poolOn(server.port, { size: 4 });
    const several = () => Promise.all(Array.from({ length: 8 }, () => pool.send(aMail(), never)));
    for (let time = 0; time < 3; time += 1) await several();
    expect(server.connections()).toBeGreaterThan(2);
    reply = "452 4.5.3 host mx.evil.example said: too many recipients";
    const before = countOf(server.commands, "RCPT");
    expect(await pool.send(aMail(), never)).toMatchObject({ failure: { responseCode: 452 } });
    expect(countOf(server.commands, "RCPT") - before).toBe(2);
    await pool.close();
  });
});

describe("the queue of the pool", () => {
  test("is first in, first out, over at most `size` connections", async () => {
    let most = 0;
    await using server = await startMailServer({
      beforeReply: () => {
        most = Math.max(most, server.open().length);
      },
    });
    const pool = poolOn(server.port, { size: 2, maxMailsPerConnection: 3, minAgeMs: 0 });
    const order: number[] = [];
    const mail = (turn: number) => aMail({ beforeBody: () => order.push(turn) > 0 });
    await Promise.all(Array.from({ length: 20 }, (_, turn) => pool.send(mail(turn), never)));
    expect(most).toBeLessThanOrEqual(2);
    // Two connections run side by side, so neighbours may swap.
    for (const [place, turn] of order.entries()) expect(Math.abs(place - turn)).toBeLessThanOrEqual(2);
    await pool.close();
  });

  test("accepts no sends after the pool is closed", async () => {
    await using server = await startScriptedServer({});
    const pool = poolOn(server.port);
    await pool.close();
    expect(await pool.send(aMail(), never)).toMatchObject({ failure: { code: "ECALLEDBACK", bodyStarted: false } });
    expect(server.connections()).toBe(0);
  });
});
