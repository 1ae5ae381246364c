import { describe, expect, test } from "bun:test";
import { ConnectionLimit, isAboutConnections, isTooFast, isUsedUp, mayBeOneTooMany, probeAfterMs } from "./capacity.ts";
import type { SmtpFailure } from "./failure.ts";

const failure = (reply: string | undefined, parts: Partial<SmtpFailure> = {}): SmtpFailure => ({
  code: "EPROTOCOL",
  command: "CONN",
  reply,
  responseCode: reply === undefined ? undefined : Number(reply.slice(0, 3)),
  cause: undefined,
  bodyStarted: false,
  ...parts,
});

describe("what a server says about limits", () => {
  test.each([
    "421 4.7.0 mx.example Error: too many connections from 192.0.2.1",
    "421 mail.example Too many connected clients, try again in a moment",
    "421 4.3.2 too many concurrent SMTP connections; please try again later.",
    "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded",
    "454 4.7.0 Connection limit exceeded",
    "450 4.7.1 too many sessions",
    "554 5.7.0 maximum number of connections reached",
  ])("%s: there are too many connections", (reply) => {
    expect(isAboutConnections(failure(reply))).toBe(true);
    expect(mayBeOneTooMany(failure(reply))).toBe(true);
  });

  test.each([
    "450 4.2.0 greylisted",
    "421 4.4.2 idle for too long",
    "550 5.7.1 blocked",
    "452 4.5.3 too many recipients",
  ])("%s: there are not", (reply) => expect(isAboutConnections(failure(reply))).toBe(false));

  test("a mailbox that gets mail too quickly is not the server's rate", () => {
    expect(isTooFast(failure("450 4.2.1 The user you are trying to contact is receiving mail too quickly"))).toBe(
      false,
    );
    expect(isTooFast(failure("454 Throttling failure: Maximum sending rate exceeded."))).toBe(true);
  });

  test("words about connections at RCPT are the recipient's server's", () => {
    const passedOn = failure("450 4.1.1 unverified address: host mx said: 421 too many connections", {
      command: "RCPT TO",
    });
    expect(isAboutConnections(passedOn)).toBe(false);
    expect(isAboutConnections({ ...passedOn, command: "MAIL FROM" })).toBe(true);
    expect(isUsedUp(failure("450 4.7.1 too many recipients in this session", { command: "RCPT TO" }))).toBe(false);
    expect(isUsedUp(failure("452 4.5.3 too many recipients", { command: "RCPT TO" }))).toBe(true);
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
});

const aClock = () => {
  let nowMs = 0;
  return { now: () => nowMs, pass: (ms: number) => (nowMs += ms) };
};

describe("the limit of connections", () => {
  test("is how many others there are when one is refused", () => {
    const limit = new ConnectionLimit(20, aClock());
    for (let others = 19; others >= 10; others -= 1) expect(limit.refused(others)).toBe(true);
    expect(limit.granted).toBe(10);
  });

  test("is no less than one, and counts those that are closing", () => {
    const limit = new ConnectionLimit(20, aClock());
    limit.refused(10);
    limit.refused(7, { byUs: 3, byServer: 0 });
    expect(limit.granted).toBe(10);
    limit.refused(0, { byUs: 1, byServer: 0 });
    expect(limit.granted).toBe(1);
  });

  test.each([
    [0, 100],
    [1_000, 100],
    [10_000, 1_000],
    [100_000, 10_000],
    [1_000_000, 10_000],
  ])("that stood for %i ms is probed after %i ms", (stoodForMs, afterMs) => {
    expect(probeAfterMs(stoodForMs)).toBe(afterMs);
  });

  test("is probed with one more, less and less often while that is refused", () => {
    const { now, pass } = aClock();
    const limit = new ConnectionLimit(20, { now });
    limit.refused(10);
    const grewAt: number[] = [];
    for (let elapsedMs = 0; elapsedMs < 120_000; elapsedMs += 50) {
      pass(50);
      limit.grow();
      if (limit.granted === 10) continue;
      expect(limit.granted).toBe(11);
      grewAt.push(now());
      limit.refused(10);
    }
    expect(grewAt.slice(0, 4)).toEqual([100, 200, 300, 400]);
    expect(grewAt.filter((at) => at > 20_000 && at <= 30_000).length).toBeLessThanOrEqual(5);
    expect(grewAt.filter((at) => at > 100_000).length).toBeLessThanOrEqual(2);
  });

  test("that changed by one of many is known almost as well as before; one that changed by much is not", () => {
    const probedAfter = (others: number) => {
      const { now, pass } = aClock();
      const limit = new ConnectionLimit(20, { now });
      limit.refused(10);
      pass(100_000);
      limit.refused(others);
      let afterMs = 0;
      for (; limit.granted <= others; afterMs += 50) {
        pass(50);
        limit.grow();
      }
      return afterMs;
    };
    expect(probedAfter(9)).toBeGreaterThan(8_000);
    expect(probedAfter(1)).toBeLessThan(1_100);
  });

  test("grows by twice as many as soon as those before are granted", () => {
    const limit = new ConnectionLimit(20, aClock());
    limit.refused(1);
    limit.starved();
    const seen = [1, 2, 4, 8, 16, 20].map((count) => {
      limit.opened(count);
      limit.grow();
      return limit.granted;
    });
    expect(seen).toEqual([2, 4, 8, 16, 20, 20]);
  });

  test("grows quickly to all of them when the server grants more again", () => {
    const { now, pass } = aClock();
    const limit = new ConnectionLimit(100, { now });
    limit.refused(1);
    pass(1_000);
    for (let time = 0; time < 8; time += 1) {
      limit.grow();
      pass(250);
    }
    expect(limit.granted).toBe(100);
  });

  test("is what it was after an outage", () => {
    const limit = new ConnectionLimit(20, aClock());
    limit.refused(10);
    limit.accepted();
    for (let others = 9; others >= 1; others -= 1) limit.refused(others);
    expect(limit.refused(0)).toBe(false);
    expect(limit.granted).toBe(10);
  });
});
