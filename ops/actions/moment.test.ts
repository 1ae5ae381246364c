import { describe, expect, test } from "bun:test";
import { momentOf } from "./moment.ts";

const NOW = new Date("2026-11-30T12:00:00Z");

describe("a time that an operator names", () => {
  test.each([
    ["2026-11-30", "2026-11-30T00:00:00.000Z"],
    ["2026-11", "2026-11-01T00:00:00.000Z"],
    ["2026-11-30 08:00Z", "2026-11-30T08:00:00.000Z"],
    ["2024-02-29T10:00Z", "2024-02-29T10:00:00.000Z"],
    ["2026-11-30T23:00:00-09:00", "2026-12-01T08:00:00.000Z"],
    ["90m", "2026-11-30T10:30:00.000Z"],
    ["1764540000000-3", "2025-11-30T22:00:00.000Z"],
  ])("may be %s", (value, expected) => expect(momentOf(value, NOW).toISOString()).toBe(expected));

  test.each([
    ["a day that no month has", "2026-02-30"],
    ["one with a time", "2026-02-29T10:00Z"],
    ["one in other words", "Feb 30 2026"],
    ["one without zeros", "2026-2-30"],
    ["seconds, which would be a time of 1970", "1764540000"],
    ["words", "yesterday"],
    ["nothing", ""],
  ])("is refused where it is %s", (_, value) => expect(() => momentOf(value, NOW)).toThrow("expected a time such as"));
});
