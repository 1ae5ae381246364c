import { describe, expect, test } from "bun:test";
import { asKnownTo, deathsIn, leavesOneFree, nextOfIdle, nextTrial } from "./suspects.ts";

const suspect = (id: number, alone = 0, inCompany = 0, isOpen = false) => ({
  stream: "s",
  id: `${id}-0`,
  eventId: `event-${id}`,
  deaths: { alone, inCompany, isOpen },
  isTried: alone + inCompany > 0 || isOpen,
});
const many = (count: number) => Array.from({ length: count }, (_, id) => suspect(id));
const idsOf = (suspects: readonly { readonly id: string }[]) => suspects.map(({ id }) => id);

describe("the suspects that run next", () => {
  test.each([
    ["none", many(0), 20, []],
    ["one of a few", many(10), 20, ["0-0"]],
    ["as many of a mass as there is room for", many(400), 3, ["0-0", "1-0", "2-0"]],
    ["none without room", many(3), 0, []],
    ["the untried first", [suspect(1, 1), suspect(2)], 20, ["2-0"]],
    ["none of which it is open whether its last death counts", [suspect(1, 0, 0, true), suspect(2)], 20, ["2-0"]],
    ["alone, if its consumer died with it and others", [suspect(1, 0, 1), suspect(2, 0, 1)], 20, ["1-0"]],
  ])("%s", (_, suspects, most, expected) => expect(idsOf(nextTrial(suspects, most))).toEqual(expected));
});

describe("the suspects that an idle consumer runs beside its peers", () => {
  test.each([
    ["none", many(0), 20, []],
    ["one of a few", many(10), 20, ["0-0"]],
    ["as many of a mass as there is room for", many(400), 3, ["0-0", "1-0", "2-0"]],
    [
      "none whose work has begun before, whoever died",
      [suspect(1, 1), suspect(2, 0, 1), suspect(3, 0, 0, true)],
      20,
      [],
    ],
  ])("%s", (_, suspects, most, expected) =>
    expect(idsOf(nextOfIdle(suspects, suspects.length, most))).toEqual(expected),
  );
});

test("a consumer runs suspects only if another one that lives runs none, or none lives", () => {
  const signs = [
    { consumer: "dead", silentMs: 12_000 },
    { consumer: "b", silentMs: 3_000 },
    { consumer: "c", silentMs: 0 },
  ];
  const may = (...running: string[]) => leavesOneFree("c", signs, new Set(["c", ...running]), 10_000);
  expect([may(), may("b"), may("b", "dead")]).toEqual([true, false, false]);
  expect(leavesOneFree("c", signs.slice(2), new Set(["c"]), 10_000)).toBe(true);
});

test("one that runs suspects lives, though its sign of life is late: the other one stays free", () => {
  const signs = [{ consumer: "late", silentMs: 11_000 }];
  const may = (...running: string[]) => leavesOneFree("c", signs, new Set(["c", ...running]), 10_000);
  expect([may(), may("late")]).toEqual([true, false]);
});

test("one that may have died with the rest, not heard of for half a threshold, is not the one that stays free", () => {
  const signs = [{ consumer: "late", silentMs: 5_000 }];
  expect(leavesOneFree("c", signs, new Set(["c"]), 10_000)).toBe(false);
});

describe("deaths that count", () => {
  const sign = (consumer: string, silentMs: number) => ({ consumer, silentMs });
  const [alone, again, inCompany] = [
    { consumer: "a", size: 1 },
    { consumer: "b", size: 1 },
    { consumer: "c", size: 4 },
  ];
  const live = sign("live", 2_000);

  const none = { alone: 0, inCompany: 0, isOpen: false };

  test.each([
    ["no trial", [], [live, sign("a", 90_000)], none],
    ["one died", [alone], [live, sign("a", 12_000)], { ...none, alone: 1 }],
    [
      "two died, one after the other",
      [alone, again],
      [live, sign("a", 27_000), sign("b", 12_000)],
      { ...none, alone: 2 },
    ],
    ["with others in flight", [inCompany], [live, sign("c", 12_000)], { ...none, inCompany: 1 }],
    ["it was frozen, and is heard of again", [alone], [live, sign("a", 100)], none],
    ["the fleet died with it", [alone], [live, sign("a", 12_000), sign("x", 13_000)], none],
    [
      "twice with the fleet",
      [alone, again],
      [sign("a", 30_000), sign("x", 29_000), sign("b", 9_000), sign("y", 11_000)],
      none,
    ],
    [
      "another one may have died with it, or be late",
      [alone],
      [sign("x", 8_000), sign("a", 12_000)],
      { ...none, isOpen: true },
    ],
    ["another one is late, long after it died", [alone], [sign("x", 8_000), sign("a", 14_000)], { ...none, alone: 1 }],
    [
      "the fleet died, and another one is late",
      [alone],
      [sign("x", 8_000), sign("y", 11_000), sign("a", 12_000)],
      none,
    ],
    ["it left in order, or long ago", [alone], [live], none],
  ])("%s", (_, trials, signs, deaths) => expect(deathsIn(trials, signs, 10_000)).toEqual(deaths));

  test("a consumer whose own sign of life is late knows that it has not died, alone or with another one", () => {
    const signs = asKnownTo("b", [sign("a", 12_000), sign("b", 12_000)]);
    expect(deathsIn([again], signs, 10_000)).toEqual(none);
    expect(deathsIn([alone], signs, 10_000)).toEqual({ ...none, alone: 1 });
  });
});
