import { expect, test } from "bun:test";
import { bucket, fixedWindow, type Rate, simulateRate } from "./rated-server-for-tests.ts";

/** On a machine that is busy. */
const LONG_MS = 60_000;

const granting = (perSecond: number) => (from: number, to: number) => (perSecond * (to - from)) / 1_000;

test.each<[string, number, number, () => Rate]>([
  ["1 a second", 4, 1, () => bucket(1, 1)],
  ["3 a second", 3, 3, () => bucket(3, 1)],
  ["3 a second", 4, 3, () => bucket(3, 1)],
  ["1 in each second", 4, 1, () => fixedWindow(1, 1_000)],
])(
  "of %s without bursts, %i consumers use nearly as much as one: one of them sends, and few are refused",
  async (_, consumers, perSecond, rate) => {
    const { share, refused, ofEach } = await simulateRate({
      ...{ rate, consumers, warmUpMs: 120_000, runMs: 240_000, grants: granting(perSecond) },
    });
    expect(share).toBeGreaterThan(0.75);
    expect(refused).toBeLessThan(0.2);
    expect(Math.max(...ofEach)).toBeGreaterThan(0.9 * ofEach.reduce((sum, each) => sum + each, 0));
  },
  LONG_MS,
);

test.each([
  [1, 20],
  [3, 1],
])(
  "where each consumer has a rate of its own, all send: %d a second, %i at once",
  async (perSecond, burst) => {
    const { share, ofEach } = await simulateRate({
      ...{ rate: () => bucket(perSecond, burst), isOfEach: true, consumers: 4, warmUpMs: 60_000, runMs: 240_000 },
      grants: granting(4 * perSecond),
    });
    expect(share).toBeGreaterThan(0.8);
    expect(Math.min(...ofEach)).toBeGreaterThan(0.8 * Math.max(...ofEach));
  },
  LONG_MS,
);

test(
  "a window that is used up by all is none of it: all send",
  async () => {
    const { share, ofEach } = await simulateRate({
      ...{ rate: () => fixedWindow(300, 60_000), consumers: 4, warmUpMs: 60_000, runMs: 240_000, grants: granting(5) },
    });
    expect(share).toBeGreaterThan(0.9);
    expect(Math.min(...ofEach)).toBeGreaterThan(0.5 * Math.max(...ofEach));
  },
  LONG_MS,
);
