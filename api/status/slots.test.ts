import { expect, test } from "bun:test";
import { createSlots } from "./slots.ts";

test("as many as there are places, in all and for each client; each is given back once", () => {
  const slots = createSlots(3, 2);
  const [first, second] = [slots.take("a"), slots.take("a")];
  expect([first, second].every(Boolean)).toBe(true);
  expect(slots.take("a")).toBeUndefined();
  const other = slots.take("b");
  expect(other).toBeDefined();
  expect(slots.take("c")).toBeUndefined();
  first?.();
  first?.();
  expect(slots.take("c")).toBeDefined();
  expect(slots.take("c")).toBeUndefined();
});
