import { expect, test } from "bun:test";
import { backAfterMs } from "./back-after.ts";

test.each([
  [0, 10_000, 1, 500],
  [0, 10_000, 0.001, 1_000],
  [2, 10_000, 1, 2_000],
  [9, 10_000, 1, 8_000],
  [9, 10_000, 0.001, 15_992],
  [2, 100, 1, 200],
  [0, 10, 1, 100],
  [4, 1_000, 1, 2_000],
])(
  "passed over %d times before, with %d away, the one at %d comes back after %d ms",
  (passes, away, place, expected) => {
    expect(backAfterMs(passes, away, place)).toBe(expected);
  },
);
