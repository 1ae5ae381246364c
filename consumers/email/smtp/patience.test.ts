import { expect, test } from "bun:test";
import { MAIL, OPENING, tooSlow } from "./patience.ts";

const NOW = 100_000;
const dialogues = (count: number, forMs: number, failures = 0) =>
  Array.from({ length: count }, (_, n) => ({ startedAt: NOW - forMs - n, failures, cut: () => {} }));
const known = { ...MAIL, now: NOW, usualMs: 20, goodSince: 0, granted: 20 };
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
