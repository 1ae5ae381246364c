import { expect, test } from "bun:test";
import { createRequests } from "./requests.ts";

const aPool = () => {
  let ms = 0;
  const requests = createRequests({ now: () => ms });
  const asksAfter = (forMs: number) => {
    ms += forMs;
    return requests.mayAsk();
  };
  return { requests, asksAfter };
};

test.each([
  [0, 8_000, 16_000, 60_000],
  [2, 500, 1_000, 8_000],
])(
  "a pool that has %d, and no more by what others give up for it, asks ever more rarely for the next one, until it has",
  (had, first, second, longest) => {
    const { requests, asksAfter } = aPool();
    expect(asksAfter(1)).toBe(true);
    requests.answered(had);
    expect(asksAfter(1)).toBe(true);
    requests.answered(had);
    expect(asksAfter(first - 1)).toBe(false);
    expect(asksAfter(1)).toBe(true);
    requests.answered(had);
    expect(asksAfter(second - 1)).toBe(false);
    expect(asksAfter(1)).toBe(true);
    for (let time = 0; time < 10; time += 1) requests.answered(had);
    expect(asksAfter(longest - 1)).toBe(false);
    expect(asksAfter(1)).toBe(true);
    requests.answered(had);
    requests.has(had);
    expect(asksAfter(1)).toBe(false);
    requests.has(had + 1);
    expect(asksAfter(1)).toBe(true);
  },
);

test("it cannot reach the server, as far as is known, only where it has none at all, and has had three in vain", () => {
  const { requests, asksAfter } = aPool();
  for (let time = 0; time < 3; time += 1) {
    expect(requests.cannotReach()).toBe(false);
    requests.answered(0);
  }
  expect(requests.cannotReach()).toBe(true);
  asksAfter(60_000);
  expect(requests.cannotReach()).toBe(false);
  requests.answered(1);
  expect(requests.cannotReach()).toBe(false);
});

test("what was in vain for one more says nothing of one that has none: it is not taken for one that cannot reach the server", () => {
  const { requests } = aPool();
  for (let time = 0; time < 3; time += 1) requests.answered(2);
  expect(requests.isInVain()).toBe(false);
  requests.answered(0);
  expect([requests.isInVain(), requests.cannotReach(), requests.mayAsk()]).toEqual([false, false, true]);
  requests.answered(0);
  requests.answered(0);
  expect([requests.isInVain(), requests.cannotReach(), requests.mayAsk()]).toEqual([true, true, false]);
});
