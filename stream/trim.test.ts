import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { trimBound } from "./trim.ts";

const id = fc.tuple(fc.integer({ min: 1, max: 5_000 }), fc.nat(3)).map(([ms, sequence]) => `${ms}-${sequence}`);
const order = (entryId: string) => {
  const [ms = 0, sequence = 0] = entryId.split("-").map(Number);
  return ms * 10 + sequence;
};

describe("the bound of a trim", () => {
  test.each([
    [[undefined], 1_000, 100, "900-0"],
    [["500-2"], 1_000, 100, "500-2"],
    [["500-2", "500-1", undefined], 1_000, 100, "500-1"],
    [["950-0"], 1_000, 100, "900-0"],
    [[undefined], 1_000, 2_000, undefined],
  ])("%j at %i with a retention of %i ms: below %p", (unfinished, nowMs, retentionMs, expected) => {
    expect(trimBound(unfinished, { nowMs, retentionMs })).toBe(expected as string);
  });

  test.each([
    ["ids ahead of the clock", [], "9000-3", "9000-3"],
    ["and one unfinished", ["8000-0"], "9000-3", "8000-0"],
    ["an end that its ids have passed", [], "800-0", "900-0"],
  ])("where the stream ended a retention ago: %s", (_, unfinished, endThen, expected) => {
    expect(trimBound(unfinished, { nowMs: 1_000, retentionMs: 100, endThen })).toBe(expected);
  });

  test("is never above an unfinished entry, nor above what is younger than the retention", () => {
    const unfinished = fc.array(fc.option(id, { nil: undefined }));
    fc.assert(
      fc.property(unfinished, fc.nat(6_000), fc.nat(6_000), (ids, nowMs, retentionMs) => {
        const bound = trimBound(ids, { nowMs, retentionMs });
        if (bound === undefined) return;
        for (const each of ids) if (each !== undefined) expect(order(bound)).toBeLessThanOrEqual(order(each));
        expect(order(bound)).toBeLessThanOrEqual(Math.max(0, nowMs - retentionMs) * 10);
      }),
    );
  });
});
