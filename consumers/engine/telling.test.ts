import { expect, test } from "bun:test";
import { mostTelling, spread, tellingOfSeveral } from "./telling.ts";

test("what is attempted is spread over what is read, the last one included; of fewer than that, all", () => {
  const items = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
  expect(spread(items, 3)).toEqual([4, 7, 10]);
  expect(spread(items, 10)).toEqual(items);
  expect(spread([], 3)).toEqual([]);
});

const of = (party: string, count: number) =>
  Array.from({ length: count }, (_, n) => ({ party, place: `${party}${n}` }));

test.each([
  ["of strangers with a piece each, those spread over all", [..."abcdef"].flatMap((party) => of(party, 1)), 2, "c f"],
  ["the one for whom most wait first, then others", [...of("a", 1), ...of("b", 1), ...of("many", 8)], 3, "many many b"],
  ["of two with as many, each", [...of("a", 20), ...of("b", 20)], 4, "a b a b"],
  ["of few, all", of("a", 2), 4, "a a"],
] as const)("those in doubt that tell most are chosen: %s", (_what, items, count, expected) => {
  const chosen = mostTelling(items, count, { odds: () => 1, oddsBeside: () => 1 });
  expect(chosen.map(({ party }) => party).join(" ")).toBe(expected);
});

test("of strangers those come first that lie next to one that was accepted", () => {
  const items = [..."abcdef"].flatMap((party) => of(party, 1));
  const oddsBeside = ({ place }: { readonly place: string }) => (place === "b0" ? 2 : 1);
  const chosen = mostTelling(items, 3, { odds: () => 1, oddsBeside });
  expect(chosen.map(({ party }) => party)).toEqual(["b", "d", "f"]);
});

test("a party that is not likely to accept comes after a stranger", () => {
  const items = [...of("refuses", 30), ...of("a", 1), ...of("b", 1)];
  const odds = (party: string) => (party === "refuses" ? 0.01 : 1);
  const chosen = mostTelling(items, 2, { odds, oddsBeside: () => 1 });
  expect(chosen.map(({ party }) => party)).toEqual(["a", "b"]);
});

test("a party tells of several that has four pieces, the fewer the less likely it is to accept", () => {
  const items = [...of("a", 3), ...of("b", 4), ...of("refuses", 8)];
  const odds = (party: string) => (party === "refuses" ? 0.25 : 1);
  expect(tellingOfSeveral(items, { odds }).map(({ place }) => place)).toEqual(["b0", "b1", "b2", "b3"]);
});
