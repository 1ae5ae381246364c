import { expect, test } from "bun:test";
import { type Candidate, Doubt } from "./doubt.ts";

const untried = (party: string): Candidate => ({ party, wasTried: false, place: "" });
const tried: Candidate = { party: "a.example", wasTried: true, place: "" };
const slowInVain = { ms: 1_000, isVain: true };

const isInVain = (doubt: Doubt, count: number) => {
  for (let n = 0; n < count; n += 1) doubt.ended(untried(`bad-${n}.example`), slowInVain);
};

test("what is for parties that have accepted nothing is in doubt while it takes more time in vain than for good", () => {
  const doubt = new Doubt(
    () => 40,
    () => 0,
  );
  isInVain(doubt, 4);
  expect(doubt.has(untried("new.example"))).toBe(false);
  isInVain(doubt, 4);
  expect(doubt.has(untried("new.example"))).toBe(true);
  for (let n = 0; n < 60; n += 1) doubt.ended(untried(`good-${n}.example`), { ms: 50, isVain: false });
  expect(doubt.has(untried("new.example"))).toBe(false);
});

test("what is for a party that accepts is not in doubt before it was tried", () => {
  const doubt = new Doubt(
    () => 40,
    () => 0,
  );
  doubt.ended(untried("good.example"), { ms: 5, isVain: false });
  isInVain(doubt, 20);
  expect(doubt.has(untried("good.example"))).toBe(false);
});

test("what was tried is in doubt while what is unknown is, or while it took more time in vain itself", () => {
  let now = 0;
  const doubt = new Doubt(
    () => 40,
    () => now,
  );
  expect(doubt.has(tried)).toBe(false);
  isInVain(doubt, 20);
  expect(doubt.has(tried)).toBe(true);
  for (let n = 0; n < 400; n += 1) doubt.ended(untried(`good-${n}.example`), { ms: 50, isVain: false });
  now += 1_001;
  expect(doubt.has(tried)).toBe(false);
  for (let n = 0; n < 20; n += 1) doubt.ended(tried, slowInVain);
  expect(doubt.has(tried)).toBe(true);
});

test("a party that does not accept any more is like one that never did", () => {
  const doubt = new Doubt(
    () => 40,
    () => 0,
  );
  for (let n = 0; n < 100; n += 1) doubt.ended(untried("good.example"), { ms: 5, isVain: false });
  isInVain(doubt, 20);
  for (let n = 0; n < 7; n += 1) doubt.ended(untried("good.example"), slowInVain);
  expect(doubt.has(untried("good.example"))).toBe(false);
  doubt.ended(untried("good.example"), slowInVain);
  expect(doubt.has(untried("good.example"))).toBe(true);
});

test("who is welcome stays so, however many strangers are in vain", () => {
  const doubt = new Doubt(
    () => 40,
    () => 0,
  );
  doubt.ended(untried("good.example"), { ms: 5, isVain: false });
  isInVain(doubt, 6_000);
  expect(doubt.has(untried("good.example"))).toBe(false);
});

test("what takes much longer than others is in vain as far as is known, before it has ended; what is usual is not", async () => {
  let now = 0;
  const doubt = new Doubt(
    () => 40,
    () => now,
  );
  const stranger = untried("new.example");
  const { promise: work, resolve: end } = Promise.withResolvers<void>();
  const start = (party: string) =>
    doubt.around(untried(party), ({ begins }) => {
      begins();
      return work;
    });
  for (let n = 0; n < 20; n += 1) doubt.ended(untried(`good-${n}.example`), { ms: 100, isVain: false });
  const few = [1, 2, 3, 4].map((n) => start(`silent-${n}.example`));
  // Of a party that accepts; and one that has no connection yet.
  const others = [start("good-1.example"), doubt.around(untried("waits.example"), () => work)];
  now = 10_000;
  expect(doubt.has(stranger)).toBe(false);
  const fifth = start("silent-5.example");
  now += 200;
  expect(doubt.has(stranger)).toBe(false);
  now += 200;
  expect([doubt.has(stranger), doubt.isActive]).toEqual([true, true]);
  // They count among what is in doubt and in flight.
  expect(doubt.room("many")).toBe(0);
  end();
  await Promise.all([...few, ...others, fifth]);
  expect(doubt.has(stranger)).toBe(false);
});

/** So many, each for a party of its own, that were good after 100 ms. */
const areGood = (doubt: Doubt, count: number) => {
  for (let n = 0; n < count; n += 1) doubt.ended(untried(`good-${n}.example`), { ms: 100, isVain: false });
};
const strangers = (count: number) => Array.from({ length: count }, (_, n) => untried(`stranger-${n}.example`));
/** They have begun, and are committed; `end` ends them. */
const begun = (doubt: Doubt, pieces: readonly Candidate[]) => {
  const { promise: work, resolve } = Promise.withResolvers<void>();
  const all = pieces.map((each) =>
    doubt.around(each, ({ begins, commits }) => {
      begins();
      commits();
      return work;
    }),
  );
  return async () => {
    resolve();
    await Promise.all(all);
  };
};

test("while all answers are good, and none is late, no stranger is in doubt, however many wait", async () => {
  let now = 0;
  const doubt = new Doubt(
    () => 40,
    () => now,
  );
  areGood(doubt, 20);
  const end = begun(doubt, strangers(20));
  now = 120;
  doubt.look(strangers(200));
  expect([doubt.isActive, doubt.has(untried("new.example"))]).toEqual([false, false]);
  await end();
});

test.each([
  ["one is late", 210, false],
  ["one was refused", 0, true],
])(
  "while %s, strangers are in doubt where more of them wait than may be under way, for a second",
  async (_what, ms, isRefused) => {
    let now = 0;
    const doubt = new Doubt(
      () => 40,
      () => now,
    );
    areGood(doubt, 20);
    const end = begun(doubt, [untried("slow.example")]);
    now += ms;
    if (isRefused) doubt.ended(untried("bad.example"), { ms: 1, isVain: true });
    doubt.look(strangers(3));
    expect([doubt.isActive, doubt.has(untried("new.example"))]).toEqual([true, false]);
    doubt.look(strangers(200));
    expect([doubt.isVain, doubt.has(untried("new.example")), doubt.has(untried("good-1.example"))]).toEqual([
      false,
      true,
      false,
    ]);
    await end();
    now += 1_001;
    doubt.look(strangers(200));
    expect(doubt.isActive).toBe(false);
  },
);

test("until twenty were good, strangers are few: others that began with them may be silent", () => {
  const doubt = new Doubt(
    () => 40,
    () => 0,
  );
  areGood(doubt, 1);
  doubt.look(strangers(200));
  expect(doubt.has(untried("new.example"))).toBe(true);
  areGood(doubt, 19);
  expect(doubt.isActive).toBe(false);
});

test("what is committed is good as far as is known: refusals at once beside it put nothing in vain", async () => {
  let now = 0;
  const doubt = new Doubt(
    () => 40,
    () => now,
  );
  const end = begun(doubt, strangers(3));
  now = 50;
  for (let n = 0; n < 20; n += 1) doubt.ended(untried(`refused-${n}.example`), { ms: 1, isVain: true });
  expect(doubt.isVain).toBe(false);
  await end();
});

test("who can be given up, as it is not committed, does not count among strangers without an answer", async () => {
  let now = 0;
  const doubt = new Doubt(
    () => 40,
    () => now,
  );
  const { promise: work, resolve: end } = Promise.withResolvers<void>();
  const running = [1, 2, 3, 4, 5].map((n) =>
    doubt.around(untried(`tarpit-${n}.example`), ({ begins }) => {
      begins();
      return work;
    }),
  );
  expect(doubt.roomForStrangers()).toBeLessThanOrEqual(1);
  now = 150;
  expect(doubt.roomForStrangers()).toBeGreaterThanOrEqual(5);
  end();
  await Promise.all(running);
});

test("without a party, only what was tried before is in doubt", () => {
  const doubt = new Doubt(
    () => 40,
    () => 0,
  );
  isInVain(doubt, 20);
  expect(doubt.has({ party: undefined, wasTried: false, place: "" })).toBe(false);
});

test("three quarters of what may be in flight now may be in doubt, a tenth where many others come; one at least", async () => {
  const few = new Doubt(
    () => 1,
    () => 0,
  );
  expect([few.room("few"), few.room("many")]).toEqual([1, 1]);
  const many = new Doubt(
    () => 40,
    () => 0,
  );
  expect([many.room("few"), many.room("many")]).toEqual([40, 4]);
  isInVain(many, 20);
  expect([many.room("few"), many.room("many")]).toEqual([30, 4]);
  let allowance = 8;
  const doubt = new Doubt(
    () => allowance,
    () => 0,
  );
  const work = Promise.withResolvers<void>();
  const running = [doubt.around(tried, () => work.promise), doubt.around(tried, () => work.promise)];
  // They have been under way since before they were in doubt.
  for (let n = 0; n < 8; n += 1) doubt.ended(tried, slowInVain);
  expect(doubt.room("few")).toBe(4);
  allowance = 2;
  expect(doubt.room("few")).toBe(0);
  work.resolve();
  await Promise.all(running);
  allowance = 8;
  expect(doubt.room("few")).toBe(6);
});

test("a party in doubt is less likely to accept, the more of its pieces were in vain lately, or are under way", async () => {
  const doubt = new Doubt(
    () => 40,
    () => 0,
  );
  const work = Promise.withResolvers<void>();
  expect(doubt.odds("bad.example")).toBe(1);
  doubt.ended(untried("bad.example"), slowInVain);
  const running = doubt.around(untried("bad.example"), () => work.promise);
  expect(doubt.odds("bad.example")).toBe(1 / 16);
  work.resolve();
  await running;
  expect(doubt.odds("bad.example")).toBe(1 / 4);
  doubt.ended(untried("bad.example"), { ms: 5, isVain: false });
  expect(doubt.odds("bad.example")).toBe(1);
});

test("a stranger next to one that was accepted is likelier to be, whatever became of parties", () => {
  const doubt = new Doubt(
    () => 40,
    () => 0,
  );
  doubt.ended({ ...untried("good.example"), place: "0005" }, { ms: 5, isVain: false });
  expect(doubt.oddsBeside({ place: "0006" })).toBe(2);
  doubt.ended({ ...untried("bad.example"), place: "0008" }, slowInVain);
  expect(doubt.oddsBeside({ place: "0009" })).toBe(1);
  // What is for a party that accepts says nothing of strangers, nor does what was tried.
  doubt.ended({ ...untried("good.example"), place: "0010" }, { ms: 5, isVain: false });
  doubt.ended({ ...tried, place: "0010" }, { ms: 5, isVain: false });
  expect(doubt.oddsBeside({ place: "0011" })).toBe(1);
});

test("of what was tried a tenth of what may be in flight is under way where new ones wait, however long it takes", async () => {
  const doubt = new Doubt(
    () => 40,
    () => 0,
  );
  const ended = Promise.withResolvers<void>();
  const running = Array.from({ length: 3 }, () => doubt.around(tried, () => ended.promise));
  expect(doubt.roomForTried()).toBe(1);
  void doubt.around(untried("new.example"), () => ended.promise);
  expect(doubt.roomForTried()).toBe(1);
  ended.resolve();
  await Promise.all(running);
  expect(doubt.roomForTried()).toBe(4);
});
