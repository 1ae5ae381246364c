import { describe, expect, test } from "bun:test";
import { eventually } from "../../../tests/eventually.ts";
import type { SendResult } from "./outgoing-mail.ts";
import { createSmtpPool } from "./pool.ts";
import { type MailSession, SessionRefused } from "./session.ts";

const never = new AbortController().signal;
const ACCEPTED: SendResult = { kind: "accepted", reply: "250 2.0.0 ok" };

const wrongCertificate = () =>
  new SessionRefused(Object.assign(new Error("no"), { code: "ESOCKET", originalCode: "CERT_HAS_EXPIRED" }));

/** An open connection; `busyUntil`: when its mails are done. */
const aSession = (busyUntil: Promise<unknown> = Promise.resolve()): MailSession => {
  const session = {
    isUsable: true,
    sends: 0,
    idleSince: 0,
    async send(mail: { readonly beforeBody: () => boolean }) {
      session.sends += 1;
      mail.beforeBody();
      await busyUntil;
      return ACCEPTED;
    },
    async quit() {
      session.isUsable = false;
    },
  };
  return session;
};

/** A pool whose connections open, or do not, by their numbers from 1. */
const poolOf = (open: (number: number, signal: AbortSignal) => Promise<MailSession>, size = 10) => {
  let connections = 0;
  const pool = createSmtpPool({
    // Nobody listens there: who looks at the certificate sees none.
    server: { host: "127.0.0.1", port: 1, tls: "implicit" },
    size,
    sendDeadlineMs: 30_000,
    openSession: (_server, _timeoutMs, signal) => {
      connections += 1;
      return open(connections, signal);
    },
  });
  const send = (signal = never) =>
    pool.send(
      { from: "a@toblug.example", to: "b@inbox.example", raw: Buffer.alloc(0), beforeBody: () => true },
      signal,
    );
  return { pool, send, connections: () => connections };
};

describe("a wrong certificate, many times in a row, is no limit of connections", () => {
  test("beside a connection that works: the mails wait for it, and others are asked for later", async () => {
    const isDone = Promise.withResolvers<void>();
    const { pool, send, connections } = poolOf(async (number) => {
      if (number > 1) throw wrongCertificate();
      return aSession(isDone.promise);
    });
    const sends = Array.from({ length: 12 }, () => send());
    await eventually(() => connections() > 5);
    isDone.resolve();
    expect(await Promise.all(sends)).toEqual(sends.map(() => ACCEPTED));
    expect(pool.isLimited()).toBe(false);
    expect(pool.granted()).toBeGreaterThanOrEqual(4);
    // Not one for each answer: the server behind it gets no storm of handshakes.
    expect(connections()).toBeLessThan(30);
    await pool.close();
  });

  test("beside one that is just being opened: the mails wait for what becomes of it", async () => {
    const greeted = Promise.withResolvers<void>();
    const { pool, send, connections } = poolOf(async (number) => {
      if (number === 1) await greeted.promise;
      else if (number < 12) throw wrongCertificate();
      return aSession();
    });
    const sends = Array.from({ length: 12 }, () => send());
    await eventually(() => connections() > 5);
    greeted.resolve();
    expect(await Promise.all(sends)).toEqual(sends.map(() => ACCEPTED));
    expect(pool.isLimited()).toBe(false);
    await pool.close();
  });

  test("on all that are asked for at once: each mail fails for TLS, and soon", async () => {
    const { pool, send, connections } = poolOf(async () => {
      throw wrongCertificate();
    });
    const results = await Promise.all(Array.from({ length: 12 }, () => send()));
    for (const result of results)
      expect(result).toMatchObject({ kind: "failed", failure: { cause: "CERT_HAS_EXPIRED" } });
    expect(pool.isLimited()).toBe(false);
    expect(connections()).toBeLessThan(20);
    await pool.close();
  });

  test("a mail that is cancelled does not wait for what becomes of the others", async () => {
    const { pool, send, connections } = poolOf(async (number, signal) => {
      if (number > 1) throw wrongCertificate();
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      throw new SessionRefused(Object.assign(new Error("cut"), { code: "ECALLEDBACK" }));
    });
    const stop = new AbortController();
    const first = send(stop.signal);
    const second = new AbortController();
    const cancelled = send(second.signal);
    await eventually(() => connections() === 6);
    second.abort();
    expect(await cancelled).toMatchObject({ kind: "failed" });
    stop.abort();
    expect(await first).toMatchObject({ kind: "failed" });
    await pool.close();
  });
});
