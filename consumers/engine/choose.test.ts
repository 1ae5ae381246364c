import { expect, test } from "bun:test";
import type { Entry } from "../../stream/entries.ts";
import { createChoose, type PreparedEntry } from "./choose.ts";
import { Doubt } from "./doubt.ts";
import { createInFlight } from "./in-flight.ts";
import { createLookAhead } from "./look-ahead.ts";

const anItem = (id: number, deliveries: number, isTakenOver: boolean): PreparedEntry<undefined, undefined> => ({
  entry: { stream: "s", id: `${id}-0`, raw: [], deliveries, isTakenOver, deathsAlone: 0 },
  event: { id: String(id), source: "s", type: "t", time: "", data: undefined, subject: undefined, traceparent: "" },
  data: undefined,
  prepared: { kind: "ready", input: undefined, party: `stranger-${id}.example` },
});

const aRoom = (concurrency: number) => {
  const told: string[] = [];
  const tell = (what: string) => (entries: readonly Entry[]) =>
    void told.push(...entries.map(({ id }) => `${what} ${id}`));
  return {
    settler: { passOver: async () => {} },
    inFlight: createInFlight(concurrency),
    deaths: { kept: tell("kept"), begin: tell("begins") },
    told,
  };
};

test("of what dead consumers had, what is in doubt is chosen like other work, except suspects: their turn is now", () => {
  const doubt = new Doubt(
    () => 4,
    () => 0,
  );
  for (let n = 0; n < 20; n += 1)
    doubt.ended({ party: `bad-${n}`, wasTried: false, place: "" }, { ms: 1_000, isVain: true });
  const lookAhead = createLookAhead<PreparedEntry<undefined, undefined>>({ doubt, allowance: () => 4, now: () => 0 });
  const choose = createChoose({ doubt, lookAhead, ...aRoom(4) });
  const items = [...Array.from({ length: 20 }, (_, id) => anItem(id, 2, true)), anItem(90, 3, true)];
  const { wanted } = choose(items, { most: 0, signal: new AbortController().signal, progress: () => {} });
  expect(wanted.map(({ event }) => event.id)).toEqual(["90"]);
  expect(lookAhead.kept()).toBe(20);
});

test("what dead consumers had for a slow party waits for its room, too", async () => {
  let nowMs = 0;
  const doubt = new Doubt(
    () => 4,
    () => nowMs,
  );
  const take = (party: string, ms: number) =>
    doubt.around({ party, wasTried: false, place: "" }, async ({ begins, commits }) => {
      begins();
      commits();
      nowMs += ms;
      doubt.ended({ party, wasTried: false, place: "" }, { ms, isVain: false });
    });
  for (let n = 0; n < 30; n += 1) await take("quick.example", 100);
  for (let n = 0; n < 4; n += 1) await take("slow.example", 5_000);
  const lookAhead = createLookAhead<PreparedEntry<undefined, undefined>>({
    doubt,
    allowance: () => 4,
    now: () => nowMs,
  });
  const choose = createChoose({ doubt, lookAhead, ...aRoom(4) });
  const items = Array.from({ length: 20 }, (_, id) => ({
    ...anItem(id, 2, true),
    prepared: { kind: "ready", input: undefined, party: "slow.example" } as const,
  }));
  const { wanted } = choose(items, { most: 4, signal: new AbortController().signal, progress: () => {} });
  expect(wanted).toHaveLength(2);
  expect(lookAhead.kept()).toBe(18);
});

test("the death of a consumer counts for what it attempts, and for what it kept from when it begins, not while it is kept", () => {
  let isActive = true;
  const doubt = {
    get isActive() {
      return isActive;
    },
    get isVain() {
      return isActive;
    },
    has: () => isActive,
    isSlow: () => false,
    look: () => {},
    isStranger: () => isActive,
    most: 1,
    perSecond: 100,
    room: () => 1,
    roomForSlow: () => 1,
    roomForStrangers: () => 1,
    roomToAsk: () => 0,
    roomForTried: () => 1,
    odds: () => 1,
    oddsBefore: () => 1,
    oddsBeside: () => 1,
  };
  const lookAhead = createLookAhead<PreparedEntry<undefined, undefined>>({ doubt, allowance: () => 4, now: () => 0 });
  const room = aRoom(4);
  const choose = createChoose({ doubt, lookAhead, ...room });
  const patience = { signal: new AbortController().signal, progress: () => {} };
  choose([anItem(1, 1, false), anItem(2, 1, false), anItem(3, 1, false)], { most: 4, ...patience });
  expect(room.told).toEqual(["kept 1-0", "kept 2-0"]);
  isActive = false;
  choose([anItem(4, 1, false)], { most: 2, ...patience });
  expect(room.told.slice(2)).toEqual(["begins 1-0", "begins 2-0", "kept 4-0"]);
});
