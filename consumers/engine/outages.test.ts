import { expect, test } from "bun:test";
import { requiredIdleMs } from "./outages.ts";

const NOW = 100_000;
/** Ended so long ago, and lasted so long. */
const outage = (endedAgoMs: number, lastedMs: number) => ({ from: NOW - endedAgoMs - lastedMs, to: NOW - endedAgoMs });

test.each([
  ["never away", [], 10_000],
  ["away until now", [outage(0, 30_000)], 40_000],
  ["a second, within the threshold", [outage(8_000, 1_000)], 11_000],
  ["before it: owners have had the time", [outage(12_000, 30_000)], 10_000],
  ["at its edge", [outage(10_000, 5_000)], 10_000],
  ["cut every 4 s for a second", [outage(11_000, 1_000), outage(7_000, 1_000), outage(3_000, 1_000)], 13_000],
  ["answers for 2 s at a time", Array.from({ length: 20 }, (_, at) => outage((19 - at) * 4_000, 2_000)), 20_000],
])("an entry is claimed when Redis answered for a threshold without a renewal: %s", (_, outages, idleMs) => {
  expect(requiredIdleMs(outages, NOW, 10_000)).toBe(idleMs);
});
