import { describe, expect, test } from "bun:test";
import { ConnectionLimit, probeAfterMs } from "./capacity.ts";

const aClock = () => {
  let nowMs = 0;
  return { now: () => nowMs, pass: (ms: number) => (nowMs += ms) };
};

describe("the limit of connections", () => {
  test("is how many others there are when one is refused", () => {
    const limit = new ConnectionLimit(20, aClock());
    for (let others = 19; others >= 10; others -= 1) expect(limit.refused(others)).toBe(true);
    expect(limit.granted).toBe(10);
  });

  test("is no less than one, and counts those that are closing", () => {
    const limit = new ConnectionLimit(20, aClock());
    limit.refused(10);
    limit.refused(7, { byUs: 3, byServer: 0 });
    expect(limit.granted).toBe(10);
    limit.refused(0, { byUs: 1, byServer: 0 });
    expect(limit.granted).toBe(1);
  });

  test.each([
    [0, 100],
    [1_000, 100],
    [10_000, 1_000],
    [100_000, 10_000],
    [1_000_000, 10_000],
  ])("that stood for %i ms is probed after %i ms", (stoodForMs, afterMs) => {
    expect(probeAfterMs(stoodForMs)).toBe(afterMs);
  });

  test("is probed with one more, less and less often while that is refused", () => {
    const { now, pass } = aClock();
    const limit = new ConnectionLimit(20, { now });
    limit.refused(10);
    const grewAt: number[] = [];
    for (let elapsedMs = 0; elapsedMs < 120_000; elapsedMs += 50) {
      pass(50);
      limit.grow();
      if (limit.granted === 10) continue;
      expect(limit.granted).toBe(11);
      grewAt.push(now());
      limit.refused(10);
    }
    expect(grewAt.slice(0, 4)).toEqual([100, 200, 300, 400]);
    expect(grewAt.filter((at) => at > 20_000 && at <= 30_000).length).toBeLessThanOrEqual(5);
    expect(grewAt.filter((at) => at > 100_000).length).toBeLessThanOrEqual(2);
  });

  test("that changed by one of many is known almost as well as before; one that changed by much is not", () => {
    const probedAfter = (others: number) => {
      const { now, pass } = aClock();
      const limit = new ConnectionLimit(20, { now });
      limit.refused(10);
      pass(100_000);
      limit.refused(others);
      let afterMs = 0;
      for (; limit.granted <= others; afterMs += 50) {
        pass(50);
        limit.grow();
      }
      return afterMs;
    };
    expect(probedAfter(9)).toBeGreaterThan(8_000);
    expect(probedAfter(1)).toBeLessThan(1_100);
  });

  test("grows by twice as many as soon as those before are granted", () => {
    const limit = new ConnectionLimit(20, aClock());
    limit.refused(1);
    limit.starved();
    const seen = [1, 2, 4, 8, 16, 20].map((count) => {
      limit.opened(count);
      limit.grow();
      return limit.granted;
    });
    expect(seen).toEqual([2, 4, 8, 16, 20, 20]);
  });

  test("grows quickly to all of them when the server grants more again", () => {
    const { now, pass } = aClock();
    const limit = new ConnectionLimit(100, { now });
    limit.refused(1);
    pass(1_000);
    for (let time = 0; time < 8; time += 1) {
      limit.grow();
      pass(250);
    }
    expect(limit.granted).toBe(100);
  });

  test("is what it was after an outage", () => {
    const limit = new ConnectionLimit(20, aClock());
    limit.refused(10);
    limit.accepted();
    for (let others = 9; others >= 1; others -= 1) limit.refused(others);
    expect(limit.refused(0)).toBe(false);
    expect(limit.granted).toBe(10);
  });
});
