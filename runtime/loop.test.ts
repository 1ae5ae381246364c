import { expect, jest, test } from "bun:test";
import { EventEmitter } from "node:events";
import { eventually } from "../tests/eventually.ts";
import { silentLog } from "../tests/pipeline.ts";
import { startLoop } from "./loop.ts";

/** More than it has. */
const STEPS_OF_A_TURN = 100;
const SINCE = /; since \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

test("a fault says since when it lasts: the first failure, not the last", async () => {
  let turns = 0;
  let fails = true;
  await using loop = startLoop({
    name: "test",
    log: silentLog,
    everyMs: 1,
    turn: async () => {
      turns += 1;
      if (fails) throw new Error(`failure ${turns}`);
      return "idle";
    },
  });
  const first = await eventually(() => loop.fault());
  expect(first).toMatch(SINCE);
  const second = await eventually(() => loop.fault()?.startsWith("failure 2") === true && loop.fault());
  expect(second.split("since ")[1]).toBe(first.split("since ")[1] ?? "");
  fails = false;
  await eventually(() => loop.fault() === undefined);
});

test("a turn that retries is a fault while it does, and none once it is over", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  await using loop = startLoop({
    name: "test",
    log: silentLog,
    everyMs: 1,
    turn: async (_, progress) => {
      progress(new Error("canceling statement due to lock timeout"));
      await promise;
      return "idle";
    },
  });
  expect(await eventually(() => loop.fault())).toMatch(/^canceling statement due to lock timeout; since /);
  resolve();
  await loop.stop();
  expect(loop.fault()).toBeUndefined();
});

test("a turn that failed is repeated as soon as what it needs is ready again", async () => {
  const needs = new EventEmitter();
  let turns = 0;
  // No pause ends by itself.
  jest.useFakeTimers();
  try {
    await using loop = startLoop({
      name: "test",
      log: silentLog,
      everyMs: 60_000,
      needs,
      turn: async () => {
        turns += 1;
        if (turns <= 2) throw new Error("Redis is away");
        return "idle";
      },
    });
    const done = async () => {
      for (let step = 0; step < STEPS_OF_A_TURN; step += 1) await Promise.resolve();
      return turns;
    };
    expect(await done()).toBe(1);
    needs.emit("ready");
    expect(await done()).toBe(2);
    needs.emit("ready");
    expect(await done()).toBe(3);
    expect(loop.fault()).toBeUndefined();
    // What has not failed keeps its pace.
    expect(needs.listenerCount("ready")).toBe(0);
  } finally {
    jest.useRealTimers();
  }
});
