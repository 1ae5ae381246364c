import { expect, test } from "bun:test";
import { backAfterMs, oneOf, spread } from "./look-ahead.ts";

test.each([
  [19, 10_000, 1],
  [1_000, 1_199, 1],
  [20, 1_200, 2],
  [20, 1_500, 4],
  [20, 2_400, 32],
  [20, 60_000, 1_024],
])("%d declined in a row for %d ms: one of %d is attempted", (declined, forMs, expected) => {
  expect(oneOf({ declined, forMs })).toBe(expected);
});

test("what is attempted is spread over what is read, the last one included; of fewer than that, all", () => {
  const items = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
  expect(spread(items, 3)).toEqual({ chosen: [4, 7, 10], others: [1, 2, 3, 5, 6, 8, 9] });
  expect(spread(items, 10).others).toEqual([]);
  expect(spread([], 3)).toEqual({ chosen: [], others: [] });
});

test.each([
  [2, 999, 5_450],
  [2, 0, 6_000],
  [1_024, 999, 500],
  [1_024, 0, 1_050],
])("of what is passed over, one of %d, entry %d of 1,000 comes back after %d ms", (oneOfSo, index, expected) => {
  expect(backAfterMs(oneOfSo, index, 1_000)).toBe(expected);
});
