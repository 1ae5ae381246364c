import { expect, jest, test } from "bun:test";
import { aLimitedServer, consume, settle } from "./limited-server-for-tests.ts";
import { createLogins } from "./logins.ts";
import { createSmtpPool } from "./pool.ts";
import type { SmtpPoolOptions } from "./pool-options.ts";
import { type MailSession, type OpenSession, SessionRefused } from "./session.ts";

const never = new AbortController().signal;
const aMail = { from: "a@b.example", to: "c@d.example", raw: Buffer.alloc(0), beforeBody: () => true };
const target = { host: "mail.example", port: 587, tls: "starttls", username: "signup", password: "secret" } as const;

const wrongPassword = () =>
  new SessionRefused(
    Object.assign(new Error("refused"), {
      code: "EAUTH",
      command: "AUTH PLAIN",
      responseCode: 535,
      response: "535 5.7.8 bad credentials",
    }),
  );

/** A simulated server that may refuse logins, in virtual time. */
const aServer = (scenario: Partial<Parameters<typeof aLimitedServer>[0]> = {}) => {
  const server = aLimitedServer({ limit: 1_000, mailMs: 100, ...scenario });
  const state = { refuses: false };
  const opened: MailSession[] = [];
  /** One pool's logins, and those that began after one was refused. */
  const aPool = (options: Partial<SmtpPoolOptions> = {}) => {
    const logins = { all: 0, afterRefusal: 0 };
    let isRefused = false;
    const openSession: OpenSession = async (...opening) => {
      logins.all += 1;
      if (isRefused) logins.afterRefusal += 1;
      const session = await server.open(...opening);
      if (!state.refuses) {
        opened.push(session);
        return session;
      }
      await session.quit();
      isRefused = true;
      throw wrongPassword();
    };
    return {
      logins,
      pool: createSmtpPool({ server: target, size: 20, sendDeadlineMs: 30_000, openSession, ...options }),
    };
  };
  return { state, aPool, opened, counts: server.counts, open: server.open };
};

const inVirtualTime = async (run: (pass: (ms: number, stepMs?: number) => Promise<void>) => Promise<void>) => {
  jest.useFakeTimers();
  try {
    await run(async (ms, stepMs = 1) => {
      for (let passed = 0; passed < ms; passed += stepMs) {
        jest.advanceTimersByTime(stepMs);
        await settle();
      }
    });
  } finally {
    jest.clearAllTimers();
    jest.useRealTimers();
  }
};

test("an account that is refused from the start is tried once for all mails that wait", () =>
  inVirtualTime(async (pass) => {
    const { state, aPool } = aServer();
    state.refuses = true;
    const { pool, logins } = aPool();
    const sending = Array.from({ length: 20 }, () => pool.send(aMail, never));
    await pass(10_000);
    const results = await Promise.all(sending);
    const codes = results.map((result) => (result.kind === "failed" ? result.failure.code : result.kind));
    // Those that had not begun are given back.
    expect(new Set(codes)).toEqual(new Set(["EAUTH", "EBUSY"]));
    expect(logins.all).toBe(1);
    // Whoever asks later, as a probe does, finds out anew.
    state.refuses = false;
    const probe = pool.send(aMail, never);
    await pass(1_000);
    expect(await probe).toMatchObject({ kind: "accepted" });
    const later = Array.from({ length: 20 }, () => pool.send(aMail, never));
    await pass(2_000);
    for (const result of await Promise.all(later)) expect(result).toMatchObject({ kind: "accepted" });
    expect(pool.busy()).toBe(0);
  }));

test("the first login is waited for, but one that is silent holds up nobody for long", () =>
  inVirtualTime(async (pass) => {
    const { aPool, counts, open } = aServer({ silentEach: 4 });
    for (let count = 0; count < 3; count += 1) void open(target, 30_000, never);
    await pass(1_000);
    const { pool, logins } = aPool();
    for (let count = 0; count < 10; count += 1) void pool.send(aMail, never);
    await pass(2_000);
    expect(logins.all).toBe(1);
    await pass(3_000);
    expect(counts.accepted).toBe(10);
  }));

test("a login that is refused while connections work is tried ever more rarely, and costs no mail", () =>
  inVirtualTime(async (pass) => {
    const { state, aPool, counts } = aServer({ mailMs: 300 });
    const stopping = new AbortController();
    let failed = 0;
    const options = { size: 20, claimMs: 40, signal: stopping.signal, onFailed: () => (failed += 1) };
    const { pool, logins } = aPool({ maxMailsPerConnection: 15, minAgeMs: 0 });
    void consume(pool, options);
    // All but a few connections are as old as the first one, and spent together.
    await pass(4_900);
    state.refuses = true;
    await pass(400);
    const before = counts.accepted;
    await pass(4_000);
    expect(counts.accepted).toBeGreaterThan(before);
    expect(logins.afterRefusal).toBeLessThanOrEqual(1);
    expect(failed).toBe(0);
    state.refuses = false;
    await pass(10_000);
    const recovered = counts.accepted;
    await pass(3_000);
    expect((counts.accepted - recovered) / 3).toBeGreaterThan(40);
    expect(failed).toBe(0);
    stopping.abort();
  }));

test("beside connections that work it rests 4 s after a refusal, then twice as long each time, two minutes at most; after a login it begins anew", async () => {
  let nowMs = 0;
  const logins = createLogins({ areNeeded: true, hasConnection: () => true, now: () => nowMs });
  const signal = new AbortController().signal;
  const tryOne = async (error?: unknown) => {
    const turn = await logins.turn(signal);
    if (turn.kind !== "go") throw new Error("its rest is over");
    turn.ended(error);
    const restS = logins.restMs / 1_000;
    // One that comes during the rest learns of the refusal, and asks nothing.
    expect((await logins.turn(signal)).kind).toBe(restS > 0 ? "refused" : "go");
    nowMs += logins.restMs;
    return restS;
  };
  const rests: number[] = [];
  for (let count = 0; count < 8; count += 1) rests.push(await tryOne(wrongPassword()));
  expect(rests).toEqual([4, 8, 16, 32, 64, 120, 120, 120]);
  const turn = await logins.turn(signal);
  if (turn.kind === "go") turn.ended();
  expect([logins.restMs, await tryOne(wrongPassword())]).toEqual([0, 4]);
});

test("its rest ends with the connections that work: then a login is tried at once", () =>
  inVirtualTime(async (pass) => {
    const { state, aPool, counts, opened } = aServer();
    const stopping = new AbortController();
    const options = { size: 20, claimMs: 40, signal: stopping.signal, onFailed: () => {} };
    const { pool, logins } = aPool({ maxMailsPerConnection: 1_000_000 });
    void consume(pool, options);
    await pass(5_000, 5);
    state.refuses = true;
    for (const session of opened.slice(1)) void session.quit();
    // Those that are under way as the first one is refused cannot be called back.
    await pass(2_000, 10);
    const before = logins.all;
    await pass(45_000, 10);
    expect(logins.all - before).toBeLessThanOrEqual(4);
    state.refuses = false;
    for (const session of opened) void session.quit();
    await pass(500, 5);
    const accepted = counts.accepted;
    await pass(2_000, 5);
    expect(counts.accepted).toBeGreaterThan(accepted);
    stopping.abort();
  }));

test("where the greeting is late, one login more is tried each three seconds, not all at once", () =>
  inVirtualTime(async (pass) => {
    const { state, aPool } = aServer({ greetingMs: 6_000 });
    state.refuses = true;
    const { pool, logins } = aPool();
    for (let count = 0; count < 20; count += 1) void pool.send(aMail, never);
    await pass(15_000, 10);
    expect(logins.all).toBeLessThanOrEqual(3);
  }));
