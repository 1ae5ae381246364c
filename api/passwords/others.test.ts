import { expect, test } from "bun:test";
import { createOthers } from "./others.ts";

test("a client has others beside it for as long after they asked", () => {
  let now = 0;
  const others = createOthers(() => now, 100);
  expect(others.haveAsked("a")).toBe(false);
  others.asked("a");
  expect([others.haveAsked("a"), others.haveAsked("b")]).toEqual([false, true]);
  now = 10;
  others.asked("b");
  others.asked("b");
  expect([others.haveAsked("a"), others.haveAsked("b")]).toEqual([true, true]);
  now = 105;
  expect([others.haveAsked("a"), others.haveAsked("b")]).toEqual([true, false]);
  others.asked("a");
  now = 110;
  expect([others.haveAsked("a"), others.haveAsked("b")]).toEqual([false, true]);
});
