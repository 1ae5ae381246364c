import { describe, expect, test } from "bun:test";
import { ownFailure } from "./failure.ts";
import { type Dialogue, tooSlow } from "./patience.ts";
import { watchMail } from "./sending.ts";

const NOW = 100_000;
const dialogues = (count: number, forMs: number, more: { failures?: number; isAboutRecipient?: boolean } = {}) =>
  Array.from({ length: count }, (_, n) => ({
    startedAt: NOW - forMs - n,
    failures: more.failures ?? 0,
    isAboutRecipient: () => more.isAboutRecipient ?? false,
    cut: () => {},
  }));
const known = { now: NOW, usualMs: 20, leastMs: 250, goodSince: 0, granted: 8 };
const someGotOn = { ...known, goodSince: NOW };

describe("while mails wait for a connection", () => {
  test("slow dialogues keep a quarter of the connections, the oldest ones, while others get on", () => {
    const underWay = dialogues(8, 1_000);
    expect(tooSlow(underWay, known)).toEqual([]);
    expect(tooSlow(underWay, someGotOn)).toEqual(underWay.slice(0, 6).toReversed());
    expect(tooSlow(dialogues(8, 240), someGotOn)).toEqual([]);
    expect(tooSlow(dialogues(2, 20_000), someGotOn)).toEqual([]);
  });

  test("where nobody gets on, only those that wait for a word on their recipient are cut, after 2 s", () => {
    expect(tooSlow(dialogues(8, 3_000), known)).toEqual([]);
    expect(tooSlow(dialogues(8, 3_000, { isAboutRecipient: true }), known)).toHaveLength(6);
    expect(tooSlow(dialogues(8, 1_900, { isAboutRecipient: true }), known)).toEqual([]);
  });

  test("where dialogues usually take long, they are slow later", () => {
    expect(tooSlow(dialogues(8, 3_000), { ...someGotOn, usualMs: 1_000 })).toEqual([]);
    expect(tooSlow(dialogues(8, 9_000), { ...someGotOn, usualMs: 1_000 })).toHaveLength(6);
  });

  test("a mail that failed before gets four times as long each time", () => {
    expect(tooSlow(dialogues(8, 900, { failures: 1 }), someGotOn)).toEqual([]);
    expect(tooSlow(dialogues(8, 1_100, { failures: 1 }), someGotOn)).toHaveLength(6);
    expect(tooSlow(dialogues(8, 3_900, { failures: 2 }), someGotOn)).toEqual([]);
  });
});

describe("a mail that was cut", () => {
  const watched = { gotOn: () => {}, end: () => {} };
  const patient = { watch: () => watched };
  const cutAtOnce = {
    watch: (each: Dialogue) => {
      each.cut();
      return watched;
    },
  };
  const dialogue = { failures: 0, isAboutRecipient: () => false, cut: () => {} };
  const failed = (code: "EDEADLINE" | "ECALLEDBACK") => ({ kind: "failed" as const, failure: ownFailure(code, false) });

  test("says something about its recipient, also where the server keeps its answer to MAIL FROM back", () => {
    const { atRecipient } = watchMail(cutAtOnce, dialogue);
    expect(atRecipient(failed("EDEADLINE"))).toMatchObject({ failure: { code: "EDEADLINE", command: "RCPT TO" } });
    expect(atRecipient(failed("ECALLEDBACK"))).toMatchObject({ failure: { command: "CONN" } });
  });

  test("is told apart from one whose time was over", () => {
    const { atRecipient } = watchMail(patient, dialogue);
    expect(atRecipient(failed("EDEADLINE"))).toMatchObject({ failure: { command: "CONN" } });
  });
});
