import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { entryTimeMs, type GroupPosition, lowWatermarkMs, overtaken } from "./watermark.ts";

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

describe("a group has overtaken", () => {
  const at = (oldestUnread: string | undefined, oldestPending?: string) => [
    { oldestUnread, oldestPending },
    { oldestUnread: undefined, oldestPending: undefined },
  ];
  const future = (more: number) => `${nowMs + more}-0`;
  const before = { atMs: 5_000, ids: [future(10), "0-0"] };
  const ends = { atMs: 9_000, ids: [future(50), "0-0"] };

  test("what is below its watermark", () => {
    expect(overtaken(at(undefined), { nowMs, before, ends })).toEqual({ byMs: 0, ends: undefined });
    expect(overtaken(at(`${nowMs - 3}-0`), { nowMs, before, ends })).toEqual({ byMs: 3, ends: undefined });
  });

  test("nothing that is known, while it waits at an id in the future", () => {
    expect(overtaken(at(future(10)), { nowMs, before: undefined, ends })).toEqual({ byMs: undefined, ends });
    expect(overtaken(at(future(10)), { nowMs, before, ends })).toEqual({ byMs: undefined, ends: before });
    expect(overtaken(at(future(20), future(10)), { nowMs, before, ends })).toEqual({ byMs: undefined, ends: before });
  });

  test("what was published before it was asked the last time, once it has read past that", () => {
    expect(overtaken(at(future(11)), { nowMs, before, ends })).toEqual({ byMs: 4_000, ends });
    expect(overtaken(at(future(20), future(11)), { nowMs, before, ends })).toEqual({ byMs: 4_000, ends });
  });
});
