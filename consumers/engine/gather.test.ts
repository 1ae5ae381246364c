import { expect, test } from "bun:test";
import { createGatherer, handsWaitMs, outcomeWaitMs } from "./gather.ts";

test.each([
  { isBehind: false, room: 1, ahead: 10, pieceMs: 50, waitMs: 0 },
  { isBehind: true, room: 3, ahead: 10, pieceMs: 50, waitMs: 0 },
  { isBehind: true, room: 1, ahead: 10, pieceMs: 20, waitMs: 10 },
  { isBehind: true, room: 1, ahead: 10, pieceMs: 500, waitMs: 25 },
  { isBehind: true, room: 1, ahead: 0, pieceMs: 50, waitMs: 5 },
  { isBehind: true, room: 1, ahead: 0, pieceMs: 500, waitMs: 10 },
  { isBehind: true, room: 7, ahead: 0, pieceMs: 500, waitMs: 0 },
])("hands wait: %p", ({ waitMs, ...known }) => {
  expect(handsWaitMs({ concurrency: 30, ...known })).toBe(waitMs);
});

test.each([
  { isBehind: false, ahead: 20, pieceMs: 100, waitMs: 0 },
  { isBehind: true, ahead: 20, pieceMs: 40, waitMs: 10 },
  { isBehind: true, ahead: 20, pieceMs: 5_000, waitMs: 25 },
  { isBehind: true, ahead: 0, pieceMs: 50, waitMs: 5 },
  { isBehind: true, ahead: 0, pieceMs: 5_000, waitMs: 10 },
])("an outcome waits: %p", ({ waitMs, ...known }) => {
  expect(outcomeWaitMs(known)).toBe(waitMs);
});

test("outcomes of a consumer that is behind go on together, and those of one that is not at once", async () => {
  let now = 0;
  const gatherer = createGatherer({ concurrency: 4, ahead: 0, now: () => now });
  for (let piece = 0; piece < 100; piece += 1) {
    await gatherer.timed(async () => {
      now += 50;
    });
  }
  const first = gatherer.outcome();
  expect(gatherer.outcome()).not.toBe(first);
  gatherer.behind(true);
  const second = gatherer.outcome();
  expect(gatherer.outcome()).toBe(second);
  await second;
  expect(gatherer.outcome()).not.toBe(second);
});

test("64 outcomes wait for no more, so that no more are lost with their consumer", async () => {
  let now = 0;
  const gatherer = createGatherer({ concurrency: 200, ahead: 100, now: () => now });
  for (let piece = 0; piece < 100; piece += 1) {
    await gatherer.timed(async () => {
      now += 100;
    });
  }
  gatherer.behind(true);
  const outcomes = Array.from({ length: 65 }, () => gatherer.outcome());
  expect(new Set(outcomes.slice(0, 64)).size).toBe(1);
  expect(outcomes[64]).not.toBe(outcomes[0]);
  await Promise.all(outcomes);
});
