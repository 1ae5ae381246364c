import { expect, test } from "bun:test";
import { createTimeLimit } from "./time-limit.ts";

test("what has ended in time is not over, and the others are, in their order", async () => {
  const limit = createTimeLimit(20);
  const over: string[] = [];
  const last = Promise.withResolvers<void>();
  const ended = limit.begin(() => over.push("ended"));
  limit.begin(() => over.push("first"));
  limit.begin(() => over.push("second"));
  limit.end(ended);
  const since = performance.now();
  limit.begin(last.resolve);
  await last.promise;
  expect(over).toEqual(["first", "second"]);
  expect(performance.now() - since).toBeGreaterThanOrEqual(19);
});

test("each has the whole time, also behind one that began before it", async () => {
  const limit = createTimeLimit(20);
  const first = Promise.withResolvers<void>();
  limit.begin(first.resolve);
  await Bun.sleep(10);
  const since = performance.now();
  const second = Promise.withResolvers<void>();
  limit.begin(second.resolve);
  await Promise.all([first.promise, second.promise]);
  expect(performance.now() - since).toBeGreaterThanOrEqual(19);
});
