import { expect, test } from "bun:test";
import { Doubt } from "./doubt.ts";
import { createLookAhead, type Read } from "./look-ahead.ts";

const reads = (count: number, more: Partial<Read<string>> = {}): readonly Read<string>[] =>
  Array.from({ length: count }, (_, n) => ({
    item: `${more.item ?? "entry"}-${n}`,
    party: more.party ?? `${more.item ?? "entry"}-${n}.example`,
    wasTried: more.wasTried ?? false,
    place: more.place ?? String(n).padStart(6, "0"),
    passes: more.passes ?? 0,
  }));

const sure = (count: number) => reads(count, { item: "sure", party: "welcome.example" });
const items = (each: readonly Read<string>[]) => each.map(({ item }) => item);

/** While there is doubt about all but one party, with room for so many of those that are in doubt. */
const aLookAhead = (
  room: (others: "few" | "many") => number,
  given: {
    readonly isActive?: () => boolean;
    readonly roomToAsk?: number;
    readonly roomForTried?: number;
    readonly roomForSlow?: (others: "few" | "many") => number;
    readonly roomForStrangers?: () => number;
    readonly odds?: (party: string) => number;
    readonly oddsBeside?: (place: string) => number;
    readonly now?: () => number;
  } = {},
) => {
  const { isActive = () => true, now = () => 0 } = given;
  return createLookAhead<string>({
    doubt: {
      get isActive() {
        return isActive();
      },
      has: ({ party }) => isActive() && party !== "welcome.example",
      get isVain() {
        return isActive();
      },
      look: () => {},
      isSlow: ({ party }) => party === "slow.example",
      isStranger: ({ party, wasTried }) => !wasTried && party !== "welcome.example",
      room,
      roomForSlow: given.roomForSlow ?? (() => 2),
      roomForStrangers: given.roomForStrangers ?? (() => 1_000),
      roomToAsk: () => given.roomToAsk ?? 0,
      roomForTried: () => given.roomForTried ?? 4,
      most: 3,
      perSecond: 1_000,
      odds: (party) => given.odds?.(party) ?? 1,
      oddsBefore: (party) => given.odds?.(party) ?? 1,
      oddsBeside: ({ place }) => given.oddsBeside?.(place) ?? 1,
    },
    allowance: () => 40,
    now,
  });
};

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

test("what may be attempted is not waited for: while enough is kept that is not in doubt, no more is read", () => {
  const { choose, reads: most } = aLookAhead(() => 3);
  choose(sure(50), 20);
  expect([most(20), most(40)]).toEqual([0, 256]);
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

test("what may be told of half of what is kept by a few answers is waited for, a second at most, then a tenth of the time", () => {
  let nowMs = 0;
  const { choose, reads: most } = aLookAhead(() => 0, { now: () => nowMs });
  const many = [...reads(90), ...reads(100, { item: "many", party: "many.example" })];
  expect(choose(many, 20).passed).toEqual([]);
  expect(most(20)).toBe(0);
  nowMs += 900;
  expect(most(20)).toBe(0);
  nowMs += 900;
  expect(most(20)).toBe(194);
  choose(sure(1), 20);
  choose(many, 20);
  expect(most(20)).toBeGreaterThan(0);
  nowMs += 8_000;
  choose([], 20);
  choose(many, 20);
  expect(most(20)).toBe(0);
});

/** Mails for one domain after the other that nobody knows, 64 each, all in vain after a second; one in 200 is welcome. */
const aMail = (n: number): Read<number> => ({
  item: n,
  party: n % 200 === 0 ? "welcome.example" : `stranger-${Math.floor(n / 64)}.example`,
  wasTried: false,
  place: String(n).padStart(6, "0"),
  passes: 0,
});

test("strangers with many pieces each, one after the other, delay the welcome ones among them by little", async () => {
  const [places, turnMs, turns] = [40, 50, 200];
  let turn = 0;
  const doubt = new Doubt(
    () => places,
    () => turn * turnMs,
  );
  const began = { welcome: 0, others: 0 };
  for (let n = 0; n < 20; n += 1)
    doubt.ended({ party: `bad-${n}`, wasTried: false, place: "" }, { ms: 1_000, isVain: true });
  doubt.ended({ party: "welcome.example", wasTried: false, place: "" }, { ms: 50, isVain: false });
  const { reads: most, choose } = createLookAhead<number>({
    doubt,
    allowance: () => places,
    now: () => turn * turnMs,
  });
  interface Running {
    readonly mail: Read<number>;
    readonly until: number;
    readonly end: () => void;
    readonly ended: Promise<void>;
  }
  let [read, looks, running]: [number, number, readonly Running[]] = [0, 0, []];
  for (; turn < turns; turn += 1) {
    for (const { mail, until, end, ended } of running) {
      if (until > turn) continue;
      const isVain = mail.party !== "welcome.example";
      doubt.ended(mail, { ms: isVain ? 1_000 : 50, isVain });
      end();
      await ended;
    }
    running = running.filter(({ until }) => until > turn);
    const room = places - running.length;
    const count = most(room);
    if (count > 0) looks += 1;
    const mails = Array.from({ length: count }, (_, index) => aMail(read + index + 1));
    read += count;
    const begun = choose(mails, room).attempted.map((n): Running => {
      const mail = aMail(n);
      const isWelcome = mail.party === "welcome.example";
      began[isWelcome ? "welcome" : "others"] += 1;
      const { promise, resolve } = Promise.withResolvers<void>();
      const ended = doubt.around(mail, () => promise);
      return { mail, until: turn + (isWelcome ? 50 : 1_000) / turnMs, end: resolve, ended };
    });
    running = [...running, ...begun];
  }
  // A second, and a tenth of the time, go into waiting.
  expect(looks).toBeGreaterThanOrEqual(0.75 * turns);
  expect(began.welcome).toBeGreaterThanOrEqual(100);
  // Three quarters of the places, for a second each; and of those whose answer tells of several, a tenth.
  expect(began.others).toBeLessThanOrEqual((0.85 * places * turns * turnMs) / 1_000);
});

test("strangers, and a party that refused before, tell of little: more is read at once", () => {
  const { choose, reads: most } = aLookAhead(() => 0, {
    odds: (party) => (party === "many.example" ? 0.1 : 1),
  });
  choose([...reads(60), ...reads(70, { item: "many", party: "many.example" })], 20);
  expect(most(20)).toBe(256);
});

test("beyond what can be kept, those in doubt that were read first are passed over", () => {
  const { choose, kept } = aLookAhead(() => 2);
  choose(reads(100), 20);
  expect(kept()).toBe(98);
  expect(choose(reads(256), 20).passed).toHaveLength(224);
  expect(kept()).toBe(128);
});

test("beyond what can be kept, those that lie next to one that was accepted are kept", () => {
  const { choose } = aLookAhead(() => 0, { oddsBeside: (place) => (place < "000100" ? 2 : 1) });
  const { passed } = choose(reads(256), 0);
  expect(passed).toHaveLength(128);
  for (const { item } of passed) expect(Number(item.split("-").at(-1))).toBeGreaterThanOrEqual(100);
});

test("what is kept for two seconds goes back, for peers that may have room, but for those that are next", () => {
  let nowMs = 0;
  const { choose, kept } = aLookAhead(() => 1, { now: () => nowMs });
  choose(sure(100), 20);
  nowMs += 2_001;
  const { passed } = choose([], 5);
  expect([passed.length, kept()]).toEqual([11, 64]);
  for (const { delayMs } of passed) expect(delayMs).toBe(0);
});

test("nothing is kept for longer than five seconds, nor attempted by what was found out before that", () => {
  let nowMs = 0;
  const { choose, kept, isOverdue } = aLookAhead(() => 1, { now: () => nowMs });
  choose(sure(30), 0);
  expect(isOverdue()).toBe(false);
  nowMs += 5_001;
  expect(isOverdue()).toBe(true);
  expect(choose(reads(1), 20)).toMatchObject({ attempted: ["entry-0"], passed: { length: 30 } });
  expect(kept()).toBe(0);
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

test("who has passed over 20,000 keeps what it has, and reads no more, until it may pass over more", () => {
  let nowMs = 0;
  const { reads: most, choose, kept } = aLookAhead(() => 0, { now: () => nowMs });
  for (let turn = 0; turn < 82; turn += 1) choose(reads(most(20)), 20);
  expect([kept(), most(20)]).toEqual([384, 0]);
  nowMs += 1_000;
  expect(choose([], 20).passed).toHaveLength(256);
  expect(most(20)).toBe(256);
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
