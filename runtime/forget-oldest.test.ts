import { expect, test } from "bun:test";
import { forgetOldest } from "./forget-oldest.ts";

test("what was set first is forgotten, once there is more than may be remembered", () => {
  const known = new Map<string, number>();
  const forgotten: (string | undefined)[] = [];
  for (const key of ["a", "b", "c", "a", "d"]) {
    known.delete(key);
    known.set(key, 1);
    forgotten.push(forgetOldest(known, 2));
  }
  expect(forgotten).toEqual([undefined, undefined, "a", "b", "c"]);
  expect([...known.keys()]).toEqual(["a", "d"]);
});
