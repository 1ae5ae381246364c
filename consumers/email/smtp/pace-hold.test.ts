import { describe, expect, test } from "bun:test";
import { firstStep, holdMs, stillKnown } from "./pace-hold.ts";

const MINUTE_MS = 60_000;

describe("a rate that was found", () => {
  test.each([
    [50, 0, 1_000],
    [50, MINUTE_MS, 3_000],
    [50, 40 * MINUTE_MS, 120_000],
    [2, MINUTE_MS, 9_000],
    [2, 10 * MINUTE_MS, 30_000],
  ])("of %d a second that has stood for %d ms is kept for %d ms", (perSecond, stoodMs, ms) => {
    expect(holdMs({ perSecond, stoodMs })).toBe(ms);
  });

  test.each([
    [0, 0.1],
    [10_000, 0.05],
    [25_000, 0.02],
    [MINUTE_MS, 0.02],
  ])("and has stood for %d ms is then exceeded by %d of it at first", (stoodMs, step) => {
    expect(firstStep({ perSecond: 7, stoodMs })).toBe(step);
  });

  test.each([
    [10, MINUTE_MS],
    [11, MINUTE_MS],
    [23, MINUTE_MS / 4],
  ])(
    "is known for as long as it has in common with that before: 10 a second for a minute, then %d: %d ms",
    (next, ms) => {
      expect(stillKnown({ perSecond: 10, stoodMs: MINUTE_MS }, next)).toEqual({ perSecond: next, stoodMs: ms });
    },
  );

  test("and the first one has not stood yet", () => {
    expect(stillKnown(undefined, 5)).toEqual({ perSecond: 5, stoodMs: 0 });
  });
});
