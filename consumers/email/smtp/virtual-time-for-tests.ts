import { jest } from "bun:test";
import { settle } from "./limited-server-for-tests.ts";

/**
 * Lets so many virtual ms pass, from one timer to the next: where servers and consumers wait, as for most of the time, a step of
 * each ms costs as much as what happens. For between `jest.useFakeTimers()` and `jest.useRealTimers()`.
 */
export const passTime = async (ms: number): Promise<void> => {
  // What has just begun has not set its timers yet.
  await settle();
  let isOver = ms <= 0;
  setTimeout(() => {
    isOver = true;
  }, ms);
  while (!isOver) {
    jest.advanceTimersToNextTimer();
    await settle();
  }
};
