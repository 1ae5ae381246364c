import { expect, test } from "bun:test";
import { SlowParties } from "./slow-parties.ts";

const someParties = () => {
  let ms = 0;
  const parties = new SlowParties(() => ms);
  /** Ten pieces of others, 100 ms each. */
  const others = () => {
    for (let n = 0; n < 10; n += 1) parties.ended(`other-${n}.example`, 100);
  };
  const ended = (count: number, tookMs: number, party = "slow.example") => {
    for (let n = 0; n < count; n += 1) parties.ended(party, tookMs);
  };
  return { parties, others, ended, pass: (by: number) => (ms += by) };
};

test("a party is slow once several of its pieces took much longer than those of others", () => {
  const { parties, others, ended } = someParties();
  others();
  ended(2, 5_000);
  expect(parties.has("slow.example", { slow: 0, all: 0 })).toBe(false);
  ended(1, 5_000);
  expect(parties.has("slow.example", { slow: 0, all: 0 })).toBe(true);
  expect(parties.has("other-1.example", { slow: 0, all: 0 })).toBe(false);
});

test("also while those are under way that may never be answered", () => {
  const { parties, others } = someParties();
  others();
  expect(parties.isSlow(900)).toBe(false);
  expect(parties.isSlow(1_100)).toBe(true);
  expect(parties.has("mute.example", { slow: 2, all: 2 })).toBe(false);
  expect(parties.has("mute.example", { slow: 3, all: 3 })).toBe(true);
  // Some of many may have been lost.
  expect(parties.has("large.example", { slow: 3, all: 7 })).toBe(false);
});

test("of a party that was as quick as others, those under way count once they take twice as long, not only once they are slow", () => {
  const { parties, others, ended } = someParties();
  others();
  ended(10, 100, "falls-silent.example");
  expect(parties.isLate("falls-silent.example", 190)).toBe(false);
  expect(parties.isLate("falls-silent.example", 210)).toBe(true);
  // Nothing is known of it: it may take long.
  expect(parties.isLate("new.example", 900)).toBe(false);
  expect(parties.isLate("new.example", 1_100)).toBe(true);
});

test("of a party whose pieces take longer than those of others, none is late until it takes twice as long as they do", () => {
  const { parties, others, ended } = someParties();
  others();
  ended(10, 400, "steady.example");
  expect(parties.isLate("steady.example", 790)).toBe(false);
  expect(parties.isLate("steady.example", 810)).toBe(true);
  ended(10, 900, "slower.example");
  expect(parties.isLate("slower.example", 990)).toBe(false);
  // It is slow, whatever is usual of it.
  expect(parties.isLate("slower.example", 1_500)).toBe(true);
});

test("not for long once it is as quick as others", () => {
  const { parties, others, ended } = someParties();
  others();
  ended(50, 5_000);
  ended(4, 100);
  expect(parties.has("slow.example", { slow: 0, all: 0 })).toBe(false);
});

test("who has half of all pieces, each of them slow, does not make that usual", () => {
  const { parties, ended } = someParties();
  for (let n = 0; n < 200; n += 1) {
    ended(1, 100, `other-${n % 40}.example`);
    ended(1, 5_000);
  }
  expect(parties.has("slow.example", { slow: 0, all: 0 })).toBe(true);
});

test("where all are as slow nobody is", () => {
  const { parties, ended } = someParties();
  ended(20, 8_000, "one.example");
  ended(20, 8_000, "other.example");
  expect(parties.has("one.example", { slow: 0, all: 0 })).toBe(false);
});

test("nor where there is nobody else, or was not for two minutes", () => {
  const { parties, others, ended, pass } = someParties();
  ended(20, 100, "only.example");
  expect(parties.has("only.example", { slow: 20, all: 20 })).toBe(false);
  others();
  expect(parties.has("only.example", { slow: 20, all: 20 })).toBe(true);
  pass(120_000);
  expect(parties.has("only.example", { slow: 20, all: 20 })).toBe(false);
});
