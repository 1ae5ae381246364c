import { expect, test } from "bun:test";
import { pointInLog } from "./replay.ts";

const eventId = "0190c3a1-6f0e-7000-8000-000000000001";

test.each([
  [eventId.toUpperCase(), { kind: "event", eventId }],
  ["1764000000000-3", { kind: "time", at: new Date(1_764_000_000_000) }],
  ["1764000000000", { kind: "time", at: new Date(1_764_000_000_000) }],
  ["2h", { kind: "time", at: new Date(10_000_000 - 7_200_000) }],
  ["90min", { kind: "time", at: new Date(10_000_000 - 5_400_000) }],
  ["1970-01-01T00:00:05Z", { kind: "time", at: new Date(5_000) }],
] as const)("%p is a point in the log", (text, point) => {
  expect(pointInLog(text, new Date(10_000_000))).toEqual(point);
});

test("a text that is no point in the log is refused", () => {
  expect(() => pointInLog("yesterday", new Date())).toThrow("expected a time such as");
});
