import { expect, test } from "bun:test";
import { eventually } from "../../../tests/eventually.ts";
import { silentLog } from "../../../tests/pipeline.ts";
import { createFeed } from "./feed.ts";

const aFeed = (read: () => Promise<number>, everyMs = 1) => {
  const clock = { ms: 0 };
  const stopping = new AbortController();
  const feed = createFeed({ read, everyMs, log: silentLog, monotonicMs: () => clock.ms, stopping: stopping.signal });
  return { feed, clock, stop: () => stopping.abort() };
};

test("ten that ask at once, and any that ask soon, cost one reading", async () => {
  let reads = 0;
  const { feed, clock } = aFeed(async () => {
    reads += 1;
    return reads;
  }, 2_000);
  expect(await Promise.all(Array.from({ length: 10 }, () => feed.latest()))).toEqual(new Array(10).fill(1));
  clock.ms = 1_999;
  expect(await feed.latest()).toBe(1);
  clock.ms = 2_000;
  expect(await feed.latest()).toBe(2);
});

test("ten that follow get the same readings, and cost no more than one", async () => {
  let reads = 0;
  const { feed, stop } = aFeed(async () => {
    reads += 1;
    return reads;
  });
  const seen = Array.from({ length: 10 }, (): number[] => []);
  for (const readings of seen) feed.follow((reading) => void readings.push(reading));
  await eventually(() => reads >= 3);
  stop();
  const [first = []] = seen;
  for (const readings of seen) expect(readings).toEqual(first);
  expect(first.at(-1)).toBe(reads);
});

test("nothing is read once the last has gone, and again for the next", async () => {
  let reads = 0;
  const { feed, stop } = aFeed(async () => {
    reads += 1;
    return reads;
  });
  const ended = Promise.withResolvers<void>();
  const leave = feed.follow(() => {
    leave();
    ended.resolve();
  });
  await ended.promise;
  const after = reads;
  // Longer than many intervals: had it gone on, it would have read.
  await Bun.sleep(20);
  expect(reads).toBe(after);
  const again = Promise.withResolvers<number>();
  feed.follow(again.resolve);
  expect(await again.promise).toBe(after + 1);
  stop();
});

test("a reading that fails is repeated, and the next ones are slower if it takes long", async () => {
  let reads = 0;
  const { feed, clock, stop } = aFeed(async () => {
    reads += 1;
    if (reads === 1) throw new Error("away");
    clock.ms += 500;
    return reads;
  });
  const first = Promise.withResolvers<number>();
  feed.follow(first.resolve);
  expect(await first.promise).toBe(2);
  clock.ms += 1_999;
  expect(await feed.latest()).toBe(2);
  clock.ms += 1;
  expect(await feed.latest()).toBe(3);
  stop();
});
