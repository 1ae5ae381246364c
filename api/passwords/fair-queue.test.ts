import { expect, test } from "bun:test";
import { createFairQueue, type FairQueue } from "./fair-queue.ts";

const aQueue = (...items: readonly string[]) => {
  const queue = createFairQueue<string>();
  // `a1` is the first item of client a.
  for (const item of items) queue.add(item.charAt(0), item);
  return queue;
};

const take = (queue: FairQueue<string>, count: number) =>
  Array.from({ length: count }, () => queue.take()).filter((item) => item !== undefined);

test("one of each client in turn, those of a client in the order of their arrival", () => {
  expect(take(aQueue("a1", "a2", "a3", "b1", "c1", "c2"), 10)).toEqual(["a1", "b1", "c1", "a2", "c2", "a3"]);
});

test("a client that comes back takes its turn after everybody else", () => {
  const queue = aQueue("a1", "a2", "b1", "b2");
  expect(take(queue, 1)).toEqual(["a1"]);
  queue.add("c", "c1");
  expect(take(queue, 3)).toEqual(["b1", "a2", "c1"]);
  queue.add("a", "a3");
  expect(take(queue, 3)).toEqual(["b2", "a3"]);
  expect(queue.size()).toBe(0);
});

test("a client that may not have its turn is passed over, and keeps it", () => {
  const queue = aQueue("a1", "a2", "b1", "c1");
  expect(queue.take((client) => client !== "a")).toBe("b1");
  expect(queue.take(() => false)).toBeUndefined();
  expect(take(queue, 10)).toEqual(["a1", "c1", "a2"]);
});

test("whatever one client has waiting, another's next item is among the next two", () => {
  const queue = createFairQueue<string>();
  for (let index = 0; index < 2_500; index += 1) queue.add("flood", `flood ${index}`);
  for (let round = 0; round < 50; round += 1) {
    queue.add("person", `person ${round}`);
    expect(take(queue, 2)).toContain(`person ${round}`);
    queue.add("flood", "again");
  }
});

test("who has the most yields to who has less, the newest first, until they have the same", () => {
  const queue = aQueue("a1", "a2", "a3", "a4", "b1");
  expect(queue.yieldTo("c")).toBe("a4");
  queue.add("c", "c1");
  expect(queue.yieldTo("c")).toBe("a3");
  queue.add("c", "c2");
  expect([queue.yieldTo("c"), queue.yieldTo("a"), queue.yieldTo("b")]).toEqual([undefined, undefined, undefined]);
  expect(queue.yieldTo("d")).toBe("a2");
  expect(take(queue, 10)).toEqual(["a1", "b1", "c1", "c2"]);
});

test("who left is not served, and an empty queue has nobody", () => {
  const queue = aQueue("a1", "a2", "b1");
  expect([queue.remove("a", "a1"), queue.remove("a", "a1"), queue.remove("b", "a2")]).toEqual([true, false, false]);
  expect(queue.clear()).toEqual(["a2", "b1"]);
  expect([take(queue, 1), queue.size(), queue.yieldTo("a")]).toEqual([[], 0, undefined]);
});
