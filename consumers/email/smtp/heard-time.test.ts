import { afterEach, beforeEach, expect, jest, test } from "bun:test";
import { createHeardTime } from "./heard-time.ts";
import { createPatience, MAIL } from "./patience.ts";

let nowMs = 0;
const now = () => nowMs;
/** The process runs. */
const run = (ms: number) => {
  for (let passed = 0; passed < ms; passed += 1) {
    nowMs += 1;
    jest.advanceTimersByTime(1);
  }
};
/** It does not: its timers are late. */
const stop = (ms: number) => {
  nowMs += ms;
  jest.advanceTimersByTime(ms);
};

beforeEach(() => {
  nowMs = 0;
  jest.useFakeTimers();
});
afterEach(() => void jest.useRealTimers());

test("all time counts in which the process runs, and next to none in which it does not", () => {
  const time = createHeardTime({ now });
  const end = time.listen();
  run(500);
  expect(time.now()).toBe(500);
  stop(2_000);
  expect(time.now()).toBeLessThanOrEqual(550);
  end();
  stop(1_000);
  expect(time.now()).toBeGreaterThanOrEqual(1_500);
});

test("a mail is not cut because this process was slow: it had no time to hear the answer", () => {
  const time = createHeardTime({ now });
  const patience = createPatience({ now: time.now, granted: () => 4, isWaitedFor: () => true }, MAIL);
  const end = time.listen();
  const cut: string[] = [];
  for (const name of ["first", "second", "third"]) patience.watch({ failures: 0, cut: () => void cut.push(name) });
  for (let times = 0; times < 2; times += 1) {
    const short = patience.watch({ failures: 0, cut: () => {} });
    stop(1_000);
    short.gotOn();
  }
  expect(cut).toEqual([]);
  run(2_000);
  expect(cut).toHaveLength(3);
  end();
});
