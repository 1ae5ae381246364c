import { expect, test } from "bun:test";
import { retryAfterMs } from "./retry-after.ts";

const NOW = Date.parse("2026-01-02T03:04:05Z");

test.each([
  [undefined, undefined],
  ["", undefined],
  ["soon", undefined],
  ["-5", undefined],
  ["2026", 2_026_000],
  ["0", 0],
  [" 120 ", 120_000],
  ["99999999999999999999", 86_400_000],
  ["Fri, 02 Jan 2026 03:05:05 GMT", 60_000],
  ["Fri, 02 Jan 2026 03:00:00 GMT", 0],
  ["Sat, 02 Jan 2027 03:00:00 GMT", 86_400_000],
])("Retry-After: %p is %p ms", (value, expected) => {
  expect(retryAfterMs(value, NOW)).toBe(expected);
});
