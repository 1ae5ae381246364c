import { describe, expect, jest, test } from "bun:test";
import type { SmtpFailure } from "./failure.ts";
import { sleep } from "./limited-server-for-tests.ts";
import type { OutgoingMail, SendResult } from "./outgoing-mail.ts";
import { createSmtpPool } from "./pool.ts";
import { passTime } from "./virtual-time-for-tests.ts";
import { createWhoseLimit } from "./whose-limit.ts";

const refused = (command: string, reply: string, bodyStarted = false): SmtpFailure => ({
  ...{ code: "EENVELOPE", command, reply, responseCode: Number(reply.slice(0, 3)) },
  ...{ cause: undefined, bodyStarted },
});

/** What a relay passes on when it asks the recipient's server. */
const PASSED_ON =
  "450 4.1.1 <x@evil.example>: Recipient address rejected: unverified address: host mx.evil.example[192.0.2.7] said: 450 4.7.1 rate limit exceeded";
const TOO_FAST = refused("RCPT TO", "450 4.7.1 rate limit exceeded");

/** One domain hears of a limit, and another one takes a mail, again and again. */
const inTurns = (times: number): readonly string[] => Array.from({ length: times }, () => ["b", "!a"]).flat();

const eachItsOwn = (mails: number): readonly string[] => Array.from({ length: mails }, (_, index) => `own-${index}`);

describe("words of a limit", () => {
  /** Each step is a domain that took mails, `domain 5`, or that was told of a limit, `!domain`. Returns whether the last of these is the domain's. */
  const isOfDomain = (steps: readonly string[], failure = TOO_FAST, everyMs = 100): boolean | undefined => {
    let ms = 0;
    const whose = createWhoseLimit({ now: () => ms });
    let last: SmtpFailure | undefined;
    for (const step of steps) {
      ms += everyMs;
      const [domain = "", count = "1"] = step.split(" ");
      if (domain.startsWith("!")) last = whose.judged(failure, `ana@${domain.slice(1)}`);
      else for (let mail = 0; mail < Number(count); mail += 1) whose.accepted(`ana@${domain}`);
    }
    return last?.isOfDomain === true;
  };

  test.each<readonly [string, readonly string[], boolean]>([
    ["are of a domain that has taken nothing, whatever the others do", ["a", "b", "c", "!evil"], true],
    ["also where many such domains are told", ["a", "!evil1", "!evil2", "!evil3", "!evil4"], true],
    [
      "and of some that took a few mails first",
      ["a 50", "x.evil", "y.evil", "z.evil", "!x.evil", "!y.evil", "!z.evil"],
      true,
    ],
    ["are of us if one hears them that takes a tenth of all mails", ["a 20", "b", "c", "!a"], false],
    ["or several that do together", ["a 20", "b", "c", "d", "!b", "!c", "!d"], false],
    ["and then for who is new, too", ["a 20", "b", "!a", "!new"], false],
    ["are the domain's while nobody was served", ["!a", "!b", "!c"], true],
    [
      "and of one that takes half of all mails, if others are accepted each time",
      ["a 20", "b 20", ...inTurns(12)],
      true,
    ],
    ["and of several", ["a 20", "b 20", "c 20", ...inTurns(12), "!c", ...inTurns(12), "!c"], true],
    ["but not yet if they were so a few times", ["a 20", "b 20", ...inTurns(4)], false],
    ["nor if others hear them as well", ["a 20", "b 20", ...inTurns(12), "!b", "!a"], false],
    ["nor if those for one come in a row", ["a 20", "b 20", ...Array<string>(30).fill("!a"), "b 20", "!a"], false],
    [
      "are of a domain that has taken nothing also where each mail has a domain of its own",
      [...eachItsOwn(30), "!new"],
      true,
    ],
  ])("%s", (_, steps, expected) => expect(isOfDomain(steps)).toBe(expected));

  /** Of the same steps: whether the last refusal, of which nobody says that it is a limit's, may be ours. */
  const mayBeOurs = (steps: readonly string[], isKept = false): boolean => {
    let ms = 0;
    const whose = createWhoseLimit({ now: () => ms });
    let last = false;
    for (const step of steps) {
      ms += 100;
      const [domain = "", count = "1"] = step.split(" ");
      if (domain.startsWith("!")) last = whose.mayBeOurs(`ana@${domain.slice(1)}`, isKept);
      else for (let mail = 0; mail < Number(count); mail += 1) whose.accepted(`ana@${domain}`);
    }
    return last;
  };

  test.each<readonly [boolean, string, readonly string[]]>([
    [false, "while nobody is served", ["!a", "!b", "!c"]],
    [true, "of a domain that takes a tenth of all mails", ["a 20", "b", "c", "!a"]],
    [false, "of one that takes fewer", ["a 20", "b", "c", "!b"]],
    [true, "of several that take a tenth together", ["a 20", "b", "c", "d", "!b", "!c", "!d"]],
    [true, "of who is new, where a tenth of the mails is for such", ["a 20", "b", "c", "d", "!new"]],
    [false, "but not where fewer are", ["a 50", "b", "c", "!new"]],
    [false, "nor if others are accepted each time", ["a 20", "b", "c", "d", ...Array(12).fill(["!new", "a"]).flat()]],
    [true, "where each mail has a domain of its own", [...eachItsOwn(30), "!new"]],
    [false, "of a large domain, if others are accepted each time", ["a 20", "b 20", ...inTurns(12)]],
  ])("%p: without them a refusal may be ours: %s", (expected, _, steps) => expect(mayBeOurs(steps)).toBe(expected));

  test("while a rate of ours is kept, few domains hear of it: one is enough, unless others are accepted each time", () => {
    expect(mayBeOurs(["a 50", "b", "!b"], true)).toBe(true);
    expect(mayBeOurs(["a 50", "b", ...inTurns(12)], true)).toBe(false);
  });

  const QUOTA = refused("DATA", "454 Throttling failure: Daily message quota exceeded.", true);
  test.each<readonly [string, readonly string[], boolean]>([
    ["is of a domain that alone hears of it", ["a 20", "b", "!new", "!new", "!new"], true],
    ["and of several, if mails are accepted in between", ["a 20", "!b", "!c", "a", "!d", "!e", "a", "!f"], true],
    [
      "is ours if three hear of it that take half of the mails, and nobody takes one",
      ["a 20", "!b", "!a", "!d"],
      false,
    ],
    ["but of a domain alone, however many it takes", ["a 20", "!a", "!a", "!a"], true],
    ["and of domains that nobody was served of, however many", ["a 20", "!b", "!c", "!d", "!e", "!f"], true],
    ["nor with one that took a mail of many", ["a 20", "evil", "!evil", "!c", "!d"], true],
    [
      "and stays so while it is asked for rarely",
      ["a 5", "b 20", "!b", "!c", "!d", ...Array<string>(40).fill("!e")],
      false,
    ],
    ["until a mail is accepted", ["a 20", "!b", "!a", "!d", "a", "!b"], true],
  ])("of a quota %s", (_, steps, expected) => expect(isOfDomain(steps, QUOTA, 60_000)).toBe(expected));

  test("count within half a minute, of domains that were served within some minutes", () => {
    expect(isOfDomain(["a 10", "b", "c", "!a", "!new"], TOO_FAST, 20_000)).toBe(false);
    expect(isOfDomain(["a 10", "b", "c", "!a", "!new"], TOO_FAST, 40_000)).toBe(true);
    expect(isOfDomain(["a", "!a"], TOO_FAST, 11 * 60_000)).toBe(true);
  });

  test("that are said before the server has heard of a recipient are its own, and so is what says nothing of limits", () => {
    expect(isOfDomain(["a", "!b"], refused("MAIL FROM", "450 4.7.1 rate limit exceeded"))).toBe(false);
    expect(isOfDomain(["a", "!b"], refused("RCPT TO", "450 4.2.0 mailbox busy"))).toBe(false);
    expect(isOfDomain(["a", "!b"], refused("DATA", "421 4.7.0 too many concurrent connections", true))).toBe(true);
    expect(isOfDomain(["a", "!b"], refused("DATA", "454 sending rate exceeded", true))).toBe(true);
  });
});

const MAIL_MS = 50;
const HANDS = 10;
const RUN_MS = 40_000;

/** Mails taken in the second half of the time, of what the connections can send; one in `each` is for a domain that is refused so. */
const shareWith = async (failure: SmtpFailure, each: number): Promise<number> => {
  jest.useFakeTimers();
  try {
    let taken = 0;
    let number = 0;
    let isCounted = false;
    const openSession = async () => {
      const session = {
        isUsable: true,
        sends: 0,
        idleSince: 0,
        async send(mail: OutgoingMail): Promise<SendResult> {
          session.sends += 1;
          await sleep(2);
          if (mail.to.endsWith("@evil.example")) {
            session.isUsable = failure.responseCode !== 421;
            return { kind: "failed", failure };
          }
          mail.beforeBody();
          await sleep(MAIL_MS);
          if (isCounted) taken += 1;
          return { kind: "accepted", reply: "250 ok" };
        },
        async quit() {
          session.isUsable = false;
        },
      };
      await sleep(5);
      return session;
    };
    const server = { host: "mail.example", port: 25, tls: "none" } as const;
    const pool = createSmtpPool({ server, size: HANDS, sendDeadlineMs: 30_000, openSession });
    const stopping = new AbortController();
    const hand = async () => {
      while (!stopping.signal.aborted) {
        number += 1;
        const to = number % each === 0 ? `ana${number}@evil.example` : `ana${number}@domain-${number % 5}.example`;
        await pool.send({ from: "a@b.example", to, raw: Buffer.alloc(0), beforeBody: () => true }, stopping.signal);
      }
    };
    for (let index = 0; index < HANDS; index += 1) void hand();
    await passTime(RUN_MS / 2);
    isCounted = true;
    await passTime(RUN_MS / 2);
    stopping.abort();
    return taken / ((HANDS * RUN_MS) / 2 / (MAIL_MS + 2));
  } finally {
    jest.clearAllTimers();
    jest.useRealTimers();
  }
};

test.each([
  ["words of a rate at RCPT, 5 %", refused("RCPT TO", PASSED_ON), 20],
  ["the same, 33 %", refused("RCPT TO", PASSED_ON), 3],
  ["words of a rate after the body, 10 %", refused("DATA", "451 4.7.1 rate limit exceeded", true), 10],
  [
    "words of connections at RCPT, 33 %",
    refused("RCPT TO", "421 4.7.0 too many concurrent connections to evil.example"),
    3,
  ],
] as const)("who owns a domain slows nobody else down by %s", async (_, failure, each) => {
  expect(await shareWith(failure, each)).toBeGreaterThan(0.85);
});
