import { expect, test } from "bun:test";
import { Strangers } from "./strangers.ts";

const CAUTIOUS = { usualMs: 100, allowance: 30, isCautious: true };
const CALM = { ...CAUTIOUS, isCautious: false };
const NOBODY = { ...CALM, usualMs: 0 };

/** Strangers of whom as many wait as may be asked. */
const someStrangers = ({ concurrency = 30, ahead = 0 } = {}) => {
  let nowMs = 0;
  const strangers = new Strangers(() => nowMs, { concurrency, ahead });
  const pass = (ms: number) => {
    nowMs += ms;
  };
  /** How many are asked in each of so many rounds of 100 ms, if all of them answer. */
  const rounds = (count: number) =>
    Array.from({ length: count }, () => {
      const asked = strangers.room(0, CAUTIOUS);
      pass(100);
      for (let n = 0; n < asked; n += 1) strangers.ended({ ms: 100, isVain: false }, CAUTIOUS);
      return asked;
    });
  /** How many are under way after each of so many steps, if none answers. */
  const unanswered = (known: typeof CALM, steps: number, stepMs: number) => {
    let underWay = 0;
    return Array.from({ length: steps }, () => {
      underWay += strangers.room(underWay, known);
      pass(stepMs);
      return underWay;
    });
  };
  return { strangers, pass, rounds, unanswered };
};

test("few are asked at first, and about twice as many as have answered, up to what may be in flight", () => {
  expect(someStrangers().rounds(5)).toEqual([5, 10, 19, 30, 30]);
});

test("where many may be in flight, an eighth of them is asked at first", () => {
  expect(someStrangers({ concurrency: 160 }).strangers.room(0, CALM)).toBe(20);
});

test("while some are late or in vain there is one more each second without an answer, and each fourth beyond three quarters of the connections", () => {
  const { unanswered } = someStrangers({ concurrency: 30, ahead: 10 });
  const underWay = unanswered(CAUTIOUS, 120, 250);
  expect([underWay[40], underWay.at(-1)]).toEqual([15, 19]);
});

test.each([
  ["while nothing is late or in vain", CALM],
  ["while nothing was good", { ...NOBODY, isCautious: true }],
])("%s, the other system may be slow: without an answer twice as many each fifth of a second", (_when, known) => {
  expect(someStrangers({ concurrency: 80 }).unanswered(known, 4, 200)).toEqual([10, 20, 40, 80]);
});

test.each([
  [30, 10, [5, 10, 20, 20]],
  [3, 1, [2, 2, 2, 2]],
])("while nothing was good, none of %d only waits for the others, as %d would", (concurrency, ahead, asked) => {
  expect(someStrangers({ concurrency, ahead }).unanswered(NOBODY, 4, 200)).toEqual(asked);
  expect(someStrangers({ concurrency, ahead }).unanswered(CALM, 4, 200).at(-1)).toBeGreaterThan(concurrency - ahead);
});

test("what was idle is not waited for: a row of strangers begins with few, however long nothing was asked", () => {
  const { strangers, pass } = someStrangers();
  pass(60_000);
  expect(strangers.room(0, CALM)).toBe(5);
  expect(strangers.room(5, CALM)).toBe(0);
});

test("a good answer grants more however long it took, one in vain after seconds does not", () => {
  const { strangers } = someStrangers();
  for (let n = 0; n < 5; n += 1) strangers.ended({ ms: 30_000, isVain: true }, CAUTIOUS);
  expect(strangers.room(5, CAUTIOUS)).toBe(0);
  for (let n = 0; n < 5; n += 1) strangers.ended({ ms: 30_000, isVain: false }, CAUTIOUS);
  expect(strangers.room(5, CAUTIOUS)).toBe(5);
});

test("what was learned is forgotten: those that come later are few at first again", () => {
  const { strangers, pass, rounds } = someStrangers();
  rounds(5);
  pass(20_000);
  expect(strangers.room(0, CAUTIOUS)).toBe(5);
});

test("whose answer tells of several is asked beyond that, five at most", () => {
  const { strangers } = someStrangers();
  expect(strangers.roomForSeveral(0, CALM)).toBe(10);
  expect(strangers.roomForSeveral(8, CALM)).toBe(2);
  expect(strangers.roomForSeveral(12, CALM)).toBe(0);
});
