import { expect, jest, test } from "bun:test";
import { settle } from "./limited-server-for-tests.ts";
import type { OutgoingMail, SendResult } from "./outgoing-mail.ts";
import { createSmtpPool } from "./pool.ts";

const SLOW_MS = 2_000;
const never = new AbortController().signal;

const sleep = (ms: number, signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    setTimeout(resolve, ms);
    signal.addEventListener("abort", () => resolve());
  });

const openSession = async () => {
  const session = {
    isUsable: true,
    sends: 0,
    idleSince: 0,
    async send(mail: OutgoingMail, signal: AbortSignal, code: () => "EDEADLINE" | "ECALLEDBACK" | "ETOOSLOW") {
      session.sends += 1;
      await sleep(mail.to.startsWith("slow") ? SLOW_MS : 5, signal);
      const failure = { code: code(), command: "RCPT TO", reply: undefined, responseCode: undefined, cause: undefined };
      if (signal.aborted) return { kind: "failed", failure: { ...failure, bodyStarted: false } } as const;
      mail.beforeBody();
      await sleep(20, signal);
      return { kind: "accepted", reply: "250 ok" } as const;
    },
    async quit() {
      session.isUsable = false;
    },
  };
  return session;
};

/** What becomes of slow dialogues, so many at a time beside quick ones, while mails wait that are not in the pool. */
const slowOnes = async (size: number, slow: number): Promise<readonly string[]> => {
  jest.useFakeTimers();
  try {
    const server = { host: "mail.example", port: 25, tls: "none" } as const;
    const pool = createSmtpPool({ server, size, sendDeadlineMs: 30_000, openSession });
    const mail = { from: "a@b.example", to: "ana@inbox.example", raw: Buffer.alloc(0), beforeBody: () => true };
    const pass = async (ms: number) => {
      for (let passed = 0; passed < ms; passed += 5) {
        jest.advanceTimersByTime(5);
        await settle();
      }
    };
    for (let count = 0; count < 2 * size; count += 1) void pool.send(mail, never);
    await pass(2_000);
    pool.heed(() => true);
    const results: SendResult[] = [];
    for (let count = 0; count < slow; count += 1)
      void pool.send({ ...mail, to: "slow@far.example" }, never).then((result) => results.push(result));
    for (let passed = 0; passed < 2 * SLOW_MS; passed += 100) {
      void pool.send(mail, never);
      await pass(100);
    }
    return results.map((result) => (result.kind === "failed" ? result.failure.code : result.kind));
  } finally {
    jest.clearAllTimers();
    jest.useRealTimers();
  }
};

test("slow dialogues are cut for mails that wait elsewhere, where these leave few connections", async () => {
  expect(await slowOnes(3, 2)).toEqual(["ETOOSLOW", "ETOOSLOW"]);
});

test("and not while connections are free, which something else keeps from those that wait", async () => {
  expect(await slowOnes(20, 4)).toEqual(Array(4).fill("accepted"));
});
