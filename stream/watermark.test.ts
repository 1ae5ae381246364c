import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { entryTimeMs, type GroupPosition, lowWatermarkMs } from "./watermark.ts";

const nowMs = 1_000_000;
const id = fc.option(
  fc.tuple(fc.integer({ min: 0, max: 2 * nowMs }), fc.nat(5)).map(([ms, sequence]) => `${ms}-${sequence}`),
  { nil: undefined },
);
const position: fc.Arbitrary<GroupPosition> = fc.record({ oldestUnread: id, oldestPending: id });

describe("the low watermark", () => {
  test("is now when nothing is unread or pending", () => {
    expect(lowWatermarkMs([{ oldestUnread: undefined, oldestPending: undefined }], nowMs)).toBe(nowMs);
  });

  test("is never above an unread or pending entry, nor above now", () => {
    fc.assert(
      fc.property(fc.array(position), (positions) => {
        const watermark = lowWatermarkMs(positions, nowMs);
        const ids = positions.flatMap(({ oldestUnread, oldestPending }) => [oldestUnread, oldestPending]);
        expect(watermark).toBeLessThanOrEqual(nowMs);
        for (const each of ids) if (each !== undefined) expect(watermark).toBeLessThanOrEqual(entryTimeMs(each));
      }),
    );
  });

  test("is the time of one of the entries, or now: never lower than necessary", () => {
    fc.assert(
      fc.property(fc.array(position), (positions) => {
        const times = positions
          .flatMap(({ oldestUnread, oldestPending }) => [oldestUnread, oldestPending])
          .filter((each) => each !== undefined)
          .map(entryTimeMs);
        expect([...times, nowMs]).toContain(lowWatermarkMs(positions, nowMs));
      }),
    );
  });
});
