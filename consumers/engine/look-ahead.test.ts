import { expect, test } from "bun:test";
import { aLookAhead, items, reads, sure } from "./look-ahead-for-tests.ts";

test("without doubt no more is read than may be attempted, and all of it is", () => {
  const { reads: most, choose } = aLookAhead(() => 1, { isActive: () => false });
  expect(most(20)).toBe(20);
  expect(choose(reads(20), 20)).toMatchObject({ attempted: items(reads(20)), kept: [], passed: [] });
});

test("what is not in doubt goes first; a few in doubt find out, new ones first; the others are kept", () => {
  const { choose, kept } = aLookAhead(() => 3);
  const read = [...reads(10, { item: "tried", wasTried: true }), ...reads(10, { item: "new" }), ...sure(5)];
  const { attempted, passed } = choose(read, 20);
  expect(attempted).toEqual([...items(sure(5)), "new-3", "new-6", "new-9"]);
  expect([kept(), passed.length]).toEqual([17, 0]);
});

test("what is kept is attempted as soon as it is in doubt no more, before what is read then", () => {
  let isActive = true;
  const { choose, mayAttempt, reads: most } = aLookAhead(() => 0, { isActive: () => isActive });
  choose(reads(30), 20);
  expect([mayAttempt(20), most(20)]).toEqual([false, 256]);
  isActive = false;
  expect([mayAttempt(20), most(20)]).toEqual([true, 0]);
  expect(choose(reads(5, { item: "later" }), 20).attempted).toEqual(items(reads(20)));
  expect(choose([], 20).attempted).toEqual([...items(reads(30)).slice(20), ...items(reads(5, { item: "later" }))]);
});

test("where less may be attempted than none, none is, and what is kept stays", () => {
  const { choose, kept } = aLookAhead(() => 3);
  choose(sure(700), 0);
  expect(choose([], -14).attempted).toEqual([]);
  expect(kept()).toBe(700);
});

test("for a quarter of a second after many came that are not in doubt, few in doubt are attempted", () => {
  let nowMs = 0;
  const { choose } = aLookAhead((others) => (others === "many" ? 1 : 30), { now: () => nowMs });
  expect(choose([...sure(19), ...reads(100)], 40).attempted).toHaveLength(19 + 21);
  expect(choose(sure(20), 40).attempted).toHaveLength(20 + 1);
  nowMs += 249;
  expect(choose([], 40).attempted).toHaveLength(1);
  nowMs += 1;
  expect(choose([], 40).attempted).toHaveLength(30);
});

test("of a party that is not likely to accept one gets every eighth place, however many strangers come", () => {
  const { choose, letGo } = aLookAhead(() => 1, { odds: (party) => (party === "refuses.example" ? 0.001 : 1) });
  const unlikely = reads(1, { item: "unlikely", party: "refuses.example", passes: 2 });
  const turns = Array.from({ length: 16 }, () => {
    const { attempted } = choose([...reads(9), ...unlikely], 20);
    letGo();
    return attempted[0];
  });
  expect(turns.filter((item) => item === "unlikely-0")).toHaveLength(2);
});

test("of what is in doubt, those that were tried get a tenth of the places while new ones wait, and all if none do", () => {
  const { choose, letGo } = aLookAhead(() => 1);
  const tried = reads(1, { item: "tried", wasTried: true });
  const turns = Array.from({ length: 20 }, () => {
    const { attempted } = choose([...tried, ...reads(9, { item: "new" })], 20);
    letGo();
    return attempted[0];
  });
  expect(turns.filter((item) => item === "tried-0")).toHaveLength(2);
  expect(choose(tried, 20).attempted).toEqual(["tried-0"]);
});

test("whose answer tells of several is asked although enough is welcome; who stands alone waits", () => {
  const { choose } = aLookAhead((others) => (others === "few" ? 30 : 4), { roomToAsk: 2 });
  const read = [...reads(9), ...reads(5, { item: "many", party: "many.example" }), ...sure(30)];
  expect(choose(read, 20).attempted).toEqual(["many-0", "many-1", ...items(sure(18))]);
});

test("while nothing is late or in vain, all are attempted in order, except strangers beyond those that may be under way", () => {
  let room = 2;
  const ahead = aLookAhead(() => 0, { isActive: () => false, roomForStrangers: () => room });
  const [first, second, third, fourth] = reads(4);
  if (first === undefined || second === undefined || third === undefined || fourth === undefined) throw new Error();
  const read = [first, ...sure(2), second, third, fourth];
  expect(ahead.choose(read, 20)).toMatchObject({
    attempted: items([first, ...sure(2), second]),
    kept: items([third, fourth]),
    passed: [],
  });
  // They are next.
  expect(ahead.reads(20)).toBe(18);
  room = 0;
  expect(ahead.mayAttempt(20)).toBe(false);
  room = 5;
  expect(ahead.mayAttempt(20)).toBe(true);
  expect(ahead.choose(sure(1), 20).attempted).toEqual(items([third, fourth, ...sure(1)]));
});

test("of what was tried no more is attempted than there is room for while new ones wait, also where new ones leave some", () => {
  const tried = reads(10, { item: "tried", wasTried: true });
  const attemptedOf = (news: number) =>
    aLookAhead(() => 20, { roomForTried: 2, roomForStrangers: () => 3 })
      .choose([...tried, ...reads(news, { item: "new" })], 20)
      .attempted.filter((item) => item.startsWith("tried")).length;
  expect(attemptedOf(9)).toBe(2);
  expect(attemptedOf(0)).toBe(10);
});

test("what is for a slow party has its own room, whatever else is in doubt, and what comes behind goes on", () => {
  const { choose, kept } = aLookAhead(() => 3, { roomForSlow: (others) => (others === "few" ? 2 : 1) });
  const slow = reads(30, { item: "slow", party: "slow.example" });
  const few = choose([...slow, ...sure(4)], 20);
  expect(few.attempted.toSorted()).toEqual([...items(slow).slice(0, 2), ...items(sure(4))].toSorted());
  expect(kept()).toBe(28);
  // Many others wait: it has less, and not nothing.
  const many = choose(sure(60), 20);
  expect(many.attempted.filter((item) => item.startsWith("slow"))).toHaveLength(1);
  expect(many.attempted).toHaveLength(20);
});
