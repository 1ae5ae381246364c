import { expect, test } from "bun:test";
import { createPlaces } from "./places.ts";

test("as many as there are places, in all and for each client; each is given back once", () => {
  const places = createPlaces(3, 2);
  const [first, second] = [places.take("a"), places.take("a")];
  expect([first, second].every(Boolean)).toBe(true);
  expect(places.take("a")).toBeUndefined();
  const other = places.take("b");
  expect(other).toBeDefined();
  expect(places.take("c")).toBeUndefined();
  first?.();
  first?.();
  expect(places.take("c")).toBeDefined();
  expect(places.take("c")).toBeUndefined();
});
