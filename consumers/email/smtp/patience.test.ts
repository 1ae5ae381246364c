import { expect, jest, test } from "bun:test";
import { createPatience, MAIL, OPENING, tooSlow } from "./patience.ts";

const NOW = 100_000;
const dialogues = (count: number, forMs: number, failures = 0) =>
  Array.from({ length: count }, (_, n) => ({ startedAt: NOW - forMs - n, failures, cut: () => {} }));
const known = { ...MAIL, now: NOW, usualMs: 20, slowGoodMs: 0, goodSince: 0, granted: 20 };
const someGotOn = { ...known, goodSince: NOW };

test("slow dialogues keep a tenth of the connections, the oldest ones, while others get on", () => {
  const underWay = dialogues(20, 400);
  expect(tooSlow(underWay, known)).toEqual([]);
  expect(tooSlow(underWay, someGotOn)).toEqual(underWay.slice(0, 18).toReversed());
  expect(tooSlow(dialogues(20, 70), someGotOn)).toEqual([]);
  expect(tooSlow(dialogues(2, 20_000), someGotOn)).toEqual([]);
});

test("where nobody gets on, it may be the server, for half a second", () => {
  expect(tooSlow(dialogues(20, 470), known)).toEqual([]);
  expect(tooSlow(dialogues(20, 510), known)).toHaveLength(18);
});

test("over a single connection no dialogue is kept, unless none has got on yet", () => {
  expect(tooSlow(dialogues(1, 1_000), { ...known, granted: 1 })).toHaveLength(1);
  expect(tooSlow(dialogues(1, 1_000), { ...known, granted: 1, usualMs: 0 })).toEqual([]);
});

test("where dialogues usually take long, they are slow later", () => {
  expect(tooSlow(dialogues(20, 4_000), { ...someGotOn, usualMs: 1_000 })).toEqual([]);
  expect(tooSlow(dialogues(20, 6_000), { ...someGotOn, usualMs: 1_000 })).toHaveLength(18);
});

test("a mail that failed before gets four times as long each time", () => {
  expect(tooSlow(dialogues(20, 380, 1), someGotOn)).toEqual([]);
  expect(tooSlow(dialogues(20, 410, 1), someGotOn)).toHaveLength(18);
  expect(tooSlow(dialogues(20, 1_500, 2), someGotOn)).toEqual([]);
});

test("a connection that is not greeted is cut after a second, if others are that were opened later", () => {
  const opening = { ...known, ...OPENING };
  expect(tooSlow(dialogues(20, 20_000), opening)).toEqual([]);
  expect(tooSlow(dialogues(20, 900), { ...opening, goodSince: NOW })).toEqual([]);
  expect(tooSlow(dialogues(20, 1_100), { ...opening, goodSince: NOW })).toHaveLength(20);
});

test("where most slow ones get on, they have twice as long as those take", () => {
  expect(tooSlow(dialogues(20, 1_900), { ...someGotOn, slowGoodMs: 1_000 })).toEqual([]);
  expect(tooSlow(dialogues(20, 2_100), { ...someGotOn, slowGoodMs: 1_000 })).toHaveLength(18);
});

/** Dialogues with a server, while mails wait; time passes only in them. */
const watching = () => {
  let nowMs = 0;
  const { watch } = createPatience({ now: () => nowMs, granted: () => 20, isWaitedFor: () => true }, MAIL);
  /** Of 20 dialogues that take `ms`, while shorter ones get on: how many are cut. The others get on, or not. */
  return (ms: number, getOn: boolean): number => {
    const cut = new Set<number>();
    const watched = Array.from({ length: 20 }, (_, n) => watch({ failures: 0, cut: () => void cut.add(n) }));
    for (let passed = 0; passed < ms; passed += 50) {
      const short = watch({ failures: 0, cut: () => {} });
      nowMs += 50;
      jest.advanceTimersByTime(50);
      short.gotOn();
    }
    for (const [n, { gotOn, end }] of watched.entries()) {
      if (getOn && !cut.has(n)) gotOn();
      else end();
    }
    return cut.size;
  };
};

test("slow ones are not cut any more once most of those that were kept got on; until they are in vain again", () => {
  jest.useFakeTimers();
  const twenty = watching();
  try {
    twenty(50, true);
    const whileGood = Array.from({ length: 8 }, () => twenty(1_000, true));
    expect([whileGood[0], whileGood.at(-1)]).toEqual([18, 0]);
    const inVain = Array.from({ length: 8 }, () => twenty(1_000, false));
    expect([inVain[0], inVain.at(-1)]).toEqual([0, 18]);
  } finally {
    jest.useRealTimers();
  }
});
