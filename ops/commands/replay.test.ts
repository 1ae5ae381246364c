import { expect, test } from "bun:test";
import { pointInLog } from "./replay.ts";

test.each([
  ["1764000000000-3", "1764000000000-3"],
  ["1764000000000", "1764000000000"],
  ["2h", String(10_000_000 - 7_200_000)],
  ["90min", String(10_000_000 - 5_400_000)],
  ["1970-01-01T00:00:05Z", "5000"],
])("%p is %p in the log", (text, point) => {
  expect(pointInLog(text, new Date(10_000_000))).toBe(point);
});

test("a text that is no point in the log is refused", () => {
  expect(() => pointInLog("yesterday", new Date())).toThrow("expected an entry id, a time");
});
