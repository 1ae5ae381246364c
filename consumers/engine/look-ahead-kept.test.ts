import { expect, test } from "bun:test";
import { Doubt } from "./doubt.ts";
import { createLookAhead, type Read } from "./look-ahead.ts";
import { aLookAhead, reads, sure } from "./look-ahead-for-tests.ts";

test("what may be attempted is not waited for: while enough is kept that is not in doubt, no more is read", () => {
  const { choose, reads: most } = aLookAhead(() => 3);
  choose(sure(50), 20);
  expect([most(20), most(40)]).toEqual([0, 256]);
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

test("who has passed over 20,000 keeps what it has, and reads no more, until it may pass over more", () => {
  let nowMs = 0;
  const { reads: most, choose, kept } = aLookAhead(() => 0, { now: () => nowMs });
  for (let turn = 0; turn < 82; turn += 1) choose(reads(most(20)), 20);
  expect([kept(), most(20)]).toEqual([384, 0]);
  nowMs += 1_000;
  expect(choose([], 20).passed).toHaveLength(256);
  expect(most(20)).toBe(256);
});
