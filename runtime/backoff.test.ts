import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { backoffMs } from "./backoff.ts";

describe("the delay after failures", () => {
  test.each([
    [1, 15_000, 30_000],
    [2, 30_000, 60_000],
    [3, 60_000, 120_000],
  ])("failure %i waits between %i and %i ms", (attempt, least, most) => {
    expect(backoffMs(attempt, 30_000, 3_600_000, () => 0)).toBe(least);
    expect(backoffMs(attempt, 30_000, 3_600_000, () => 1)).toBe(most);
  });

  test("is at most the cap, at least half of its step, and never shrinks with failures", () => {
    const numbers = fc.record({
      attempt: fc.integer({ min: 1, max: 500 }),
      base: fc.integer({ min: 1, max: 1_000_000 }),
      cap: fc.integer({ min: 1, max: 10_000_000 }),
      chance: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(numbers, ({ attempt, base, cap, chance }) => {
        const delay = backoffMs(attempt, base, cap, () => chance);
        const full = Math.min(cap, base * 2 ** (attempt - 1));
        expect(delay).toBeLessThanOrEqual(full);
        expect(delay).toBeGreaterThanOrEqual(Math.floor(full / 2));
        expect(backoffMs(attempt + 1, base, cap, () => chance)).toBeGreaterThanOrEqual(delay);
      }),
    );
  });
});
