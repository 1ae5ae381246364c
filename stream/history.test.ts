import { expect, test } from "bun:test";
import { boundOf, bucketOf, historyOf } from "./history.ts";

test("a time is in the bucket whose bound is at most a fifth above it", () => {
  for (const ms of [1, 3, 40, 399, 400, 12_345, 86_400_000]) {
    const bound = boundOf(bucketOf(ms));
    expect(bound).toBeGreaterThanOrEqual(ms * 0.999_999);
    expect(bound).toBeLessThanOrEqual(ms * 1.2);
  }
  expect(bucketOf(0)).toBe(0);
});

test("the last hour is counted by minutes, what is older is left out, and half took at most the median", () => {
  const history = historyOf({ "1000:10": "3", "1059:20": "4", "940:10": "100", "999:10": "100" }, 1_059);
  expect(history.total).toBe(7);
  expect(history.perMinute[0]).toBe(3);
  expect(history.perMinute[59]).toBe(4);
  expect(history.medianMs).toBe(boundOf(20));
  expect(history.medianPerMinute.filter((ms) => ms !== null)).toEqual([boundOf(10), boundOf(20)]);
});

test("without anything finished there is no median", () => {
  expect(historyOf({}, 5)).toEqual({
    perMinute: new Array(60).fill(0),
    medianPerMinute: new Array(60).fill(null),
    total: 0,
    medianMs: undefined,
  });
});
