import { expect, test } from "bun:test";
import { backAfterMs, createLookAhead, type Read, spread } from "./look-ahead.ts";

test("what is attempted is spread over what is read, the last one included; of fewer than that, all", () => {
  const items = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
  expect(spread(items, 3)).toEqual({ chosen: [4, 7, 10], others: [1, 2, 3, 5, 6, 8, 9] });
  expect(spread(items, 10).others).toEqual([]);
  expect(spread([], 3)).toEqual({ chosen: [], others: [] });
});

test.each([
  [0, 10_000, 1, 500],
  [0, 10_000, 0.001, 1_000],
  [2, 10_000, 1, 2_000],
  [9, 10_000, 1, 8_000],
  [9, 10_000, 0.001, 15_992],
  [2, 100, 1, 500],
  [4, 1_000, 1, 2_000],
])(
  "passed over %d times before, with %d away, the one at %d comes back after %d ms",
  (passes, away, place, expected) => {
    expect(backAfterMs(passes, away, place)).toBe(expected);
  },
);

const reads = (count: number, more: Partial<Read<string>> = {}): readonly Read<string>[] =>
  Array.from({ length: count }, (_, n) => ({
    item: `${more.item ?? "entry"}-${n}`,
    isDoubtful: more.isDoubtful ?? false,
    wasTried: more.wasTried ?? false,
    passes: 0,
  }));

/** While there is doubt, with room for so many of those that are in doubt. */
const aLookAhead = (room: number, now = () => 0) =>
  createLookAhead({ doubt: { isActive: true, room: () => room }, now });

test("without doubt no more is read than may be attempted", () => {
  const { reads: most } = createLookAhead({ doubt: { isActive: false, room: () => 1 }, now: () => 0 });
  expect(most(20)).toBe(20);
});

test("what is not in doubt goes first; a few in doubt find out, untried ones first; the others come back", () => {
  const { choose } = aLookAhead(3);
  const read = [
    ...reads(10, { item: "tried", isDoubtful: true, wasTried: true }),
    ...reads(10, { item: "new", isDoubtful: true }),
    ...reads(5, { item: "sure" }),
  ];
  const { attempted, passed } = choose(read, 20);
  expect(attempted).toEqual([...reads(5, { item: "sure" }).map(({ item }) => item), "new-4", "new-9", "tried-9"]);
  expect(passed).toHaveLength(17);
});

test("beyond what may be attempted nothing is; what there was no room for comes back soon", () => {
  const { choose } = aLookAhead(3);
  const { attempted, passed } = choose(
    reads(30).map((each) => ({ ...each, passes: 5 })),
    20,
  );
  expect(attempted).toHaveLength(20);
  for (const { delayMs } of passed) expect(delayMs).toBeLessThanOrEqual(1_000);
});

test("twice as much is read each time that all is in doubt, then as much as holds what may be attempted", () => {
  const { reads: most, choose } = aLookAhead(2);
  const seen = [most(10)];
  for (let turn = 0; turn < 5; turn += 1) {
    choose(reads(most(10), { isDoubtful: true }), 10);
    seen.push(most(10));
  }
  expect(seen).toEqual([10, 20, 40, 80, 160, 256]);
  choose([...reads(100, { isDoubtful: true }), ...reads(50)], 10);
  expect(most(10)).toBe(30);
});

test("who has passed over 20,000 attempts what it reads, few at a time, until it may pass over more", () => {
  let nowMs = 0;
  const { reads: most, choose } = aLookAhead(2, () => nowMs);
  for (let turn = 0; turn < 78; turn += 1) choose(reads(258, { isDoubtful: true }), 10);
  choose(reads(34, { isDoubtful: true }), 10);
  expect(most(10)).toBe(2);
  expect(choose(reads(2, { isDoubtful: true }), 10)).toMatchObject({ attempted: ["entry-0", "entry-1"], passed: [] });
  nowMs += 1_000;
  expect(most(10)).toBeGreaterThan(9);
});

test("over a single place, what was tried and what is new take turns", () => {
  const { choose } = aLookAhead(1);
  const read = [
    ...reads(1, { item: "tried", isDoubtful: true, wasTried: true }),
    ...reads(9, { item: "new", isDoubtful: true }),
  ];
  const turns = [1, 2, 3].map(() => choose(read, 20).attempted);
  expect(turns).toEqual([["new-8"], ["tried-0"], ["new-8"]]);
});

test("who may pass over no more, and has no room for what is in doubt, reads nothing until a piece ends", () => {
  let room = 2;
  const doubt = { isActive: true, room: () => room };
  const { isStopped, choose } = createLookAhead({ doubt, now: () => 0 });
  room = 0;
  expect(isStopped(10)).toBe(false);
  for (let turn = 0; turn < 79; turn += 1) choose(reads(253, { isDoubtful: true }), 10);
  expect(isStopped(10)).toBe(false);
  choose(reads(12, { isDoubtful: true }), 10);
  expect(isStopped(10)).toBe(true);
  room = 1;
  expect(isStopped(10)).toBe(false);
});
