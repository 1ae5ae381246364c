import { expect, jest, test } from "bun:test";
import { settle } from "./limited-server-for-tests.ts";
import type { OutgoingMail, SendResult } from "./outgoing-mail.ts";
import { createSmtpPool } from "./pool.ts";

const DEADLINE_MS = 30_000;
const STEP_MS = 100;

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** A server that greets and takes a body as late as this; what becomes of one mail, and after how long, in ms. */
const sendTo = async (greetsAfterMs: number, bodyMs: number) => {
  jest.useFakeTimers();
  try {
    const openSession = async () => {
      await sleep(greetsAfterMs);
      const session = {
        isUsable: true,
        sends: 0,
        idleSince: 0,
        async send(mail: OutgoingMail, signal: AbortSignal): Promise<SendResult> {
          session.sends += 1;
          const bodyStarted = mail.beforeBody();
          const ended = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
          await Promise.race([sleep(bodyMs), ended]);
          if (!signal.aborted) return { kind: "accepted", reply: "250 ok" };
          const failure = { code: "EDEADLINE", command: "DATA", reply: undefined, responseCode: undefined } as const;
          return { kind: "failed", failure: { ...failure, cause: undefined, bodyStarted } };
        },
        async quit() {
          session.isUsable = false;
        },
      };
      return session;
    };
    const server = { host: "mail.example", port: 25, tls: "none" } as const;
    const pool = createSmtpPool({ server, size: 2, sendDeadlineMs: DEADLINE_MS, openSession });
    const mail = { from: "a@b.example", to: "ana@inbox.example", raw: Buffer.alloc(0), beforeBody: () => true };
    let result: SendResult | undefined;
    void pool.send(mail, new AbortController().signal).then((each) => {
      result = each;
    });
    let ms = 0;
    for (; result === undefined && ms < 3 * DEADLINE_MS; ms += STEP_MS) {
      jest.advanceTimersByTime(STEP_MS);
      await settle();
    }
    return { kind: result?.kind, ms };
  } finally {
    jest.clearAllTimers();
    jest.useRealTimers();
  }
};

test("a mail has its whole time once it has a connection, however late that was greeted", async () => {
  expect(await sendTo(6_000, 25_000)).toMatchObject({ kind: "accepted" });
  expect(await sendTo(25_000, 29_000)).toMatchObject({ kind: "accepted" });
});

test("a body that gets no reply ends after that time", async () => {
  const { kind, ms } = await sendTo(6_000, 40_000);
  expect(kind).toBe("failed");
  expect(ms).toBeLessThanOrEqual(6_000 + DEADLINE_MS + 2 * STEP_MS);
});
