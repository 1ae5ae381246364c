import { expect, test } from "bun:test";
import { Neighbours } from "./neighbours.ts";

const at = (place: number) => String(place).padStart(6, "0");

test("what lies next to something good is likely to be good, on each side, up to what was in vain", () => {
  const neighbours = new Neighbours();
  expect(neighbours.odds(at(5))).toBe(1);
  neighbours.ended(at(10), true);
  neighbours.ended(at(30), false);
  neighbours.ended(at(20), true);
  neighbours.ended(at(40), false);
  const odds = [5, 15, 25, 35, 45].map((place) => neighbours.odds(at(place)));
  expect(odds).toEqual([1, 1, 2, 4, 2]);
  neighbours.ended(at(41), true);
  expect(neighbours.odds(at(45))).toBe(1);
});

test("where good and bad take turns, what is next to something good is no more likely than others", () => {
  const neighbours = new Neighbours();
  for (let place = 0; place < 40; place += 1) neighbours.ended(at(place), place % 2 === 1);
  neighbours.ended(at(50), false);
  expect(neighbours.odds(at(51))).toBe(1);
  for (let place = 51; place < 71; place += 1) neighbours.ended(at(place), true);
  neighbours.ended(at(71), false);
  expect(neighbours.odds(at(75))).toBe(1);
  for (let place = 72; place < 92; place += 1) neighbours.ended(at(place), false);
  expect(neighbours.odds(at(95))).toBe(2);
});

test("the last 500 that ended are remembered; of one that ended twice the last time counts", () => {
  const neighbours = new Neighbours();
  neighbours.ended(at(1), false);
  neighbours.ended(at(1), true);
  expect(neighbours.odds(at(0))).toBe(1);
  neighbours.ended(at(1), false);
  for (let place = 1_000; place < 1_499; place += 1) neighbours.ended(at(place), true);
  expect(neighbours.odds(at(0))).toBe(2);
  neighbours.ended(at(2_000), true);
  expect(neighbours.odds(at(0))).toBe(1);
});
