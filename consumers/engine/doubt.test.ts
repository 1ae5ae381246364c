import { expect, test } from "bun:test";
import { Doubt } from "./doubt.ts";

test("pieces that come back are in doubt while they take more time in vain than for good", () => {
  const doubt = new Doubt(() => 40);
  expect(doubt.isOfReturns).toBe(false);
  doubt.returned({ ms: 1_000, isVain: true });
  expect(doubt.isOfReturns).toBe(true);
  for (let time = 0; time < 30; time += 1) doubt.returned({ ms: 50, isVain: false });
  expect(doubt.isOfReturns).toBe(false);
});

test("a quarter of what may be in flight now may be in doubt, three quarters if nothing new waits; one at least", async () => {
  expect(new Doubt(() => 1).room({ isAlone: false })).toBe(1);
  let allowance = 8;
  const doubt = new Doubt(() => allowance);
  const work = Promise.withResolvers<void>();
  const running = [doubt.around(() => work.promise), doubt.around(() => work.promise)];
  expect([doubt.room({ isAlone: false }), doubt.room({ isAlone: true })]).toEqual([0, 4]);
  allowance = 2;
  expect(doubt.room({ isAlone: true })).toBe(0);
  work.resolve();
  await Promise.all(running);
  allowance = 8;
  expect(doubt.room({ isAlone: false })).toBe(2);
});
