import { describe, expect, test } from "bun:test";
import { deathsIn, nextTrial } from "./suspects.ts";

const suspect = (id: number, alone = 0, inCompany = 0) => ({
  stream: "s",
  id: `${id}-0`,
  eventId: `event-${id}`,
  deaths: { alone, inCompany },
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
    ["alone, if its consumer died with it and others", [suspect(1, 0, 1), suspect(2, 0, 1)], 20, ["1-0"]],
  ])("%s", (_, suspects, most, expected) => expect(idsOf(nextTrial(suspects, most))).toEqual(expected));
});

describe("deaths that count", () => {
  const sign = (consumer: string, silentMs: number) => ({ consumer, silentMs });
  const [alone, again, inCompany] = [
    { consumer: "a", size: 1 },
    { consumer: "b", size: 1 },
    { consumer: "c", size: 4 },
  ];
  const live = sign("live", 2_000);

  test.each([
    ["no trial", [], [live, sign("a", 90_000)], { alone: 0, inCompany: 0 }],
    ["one died", [alone], [live, sign("a", 12_000)], { alone: 1, inCompany: 0 }],
    [
      "two died, one after the other",
      [alone, again],
      [live, sign("a", 27_000), sign("b", 12_000)],
      { alone: 2, inCompany: 0 },
    ],
    ["with others in flight", [inCompany], [live, sign("c", 12_000)], { alone: 0, inCompany: 1 }],
    ["it was frozen, and is heard of again", [alone], [live, sign("a", 100)], { alone: 0, inCompany: 0 }],
    ["the fleet died with it", [alone], [live, sign("a", 12_000), sign("x", 13_000)], { alone: 0, inCompany: 0 }],
    [
      "twice with the fleet",
      [alone, again],
      [sign("a", 30_000), sign("x", 29_000), sign("b", 9_000), sign("y", 11_000)],
      { alone: 0, inCompany: 0 },
    ],
    ["it left in order, or long ago", [alone], [live], { alone: 0, inCompany: 0 }],
  ])("%s", (_, trials, signs, deaths) => expect(deathsIn(trials, signs, 10_000)).toEqual(deaths));
});
