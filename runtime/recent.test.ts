import { expect, test } from "bun:test";
import { createRecent } from "./recent.ts";

test("what was set last is remembered, what was set longest ago is forgotten", () => {
  const recent = createRecent<number>(10);
  const known = () => Array.from({ length: 40 }, (_, key) => key).filter((key) => recent.get(`${key}`) === key);
  for (let key = 0; key < 7; key += 1) recent.set(`${key}`, key);
  expect(known()).toEqual([0, 1, 2, 3, 4, 5, 6]);
  // Setting it again keeps it.
  recent.set("0", 0);
  for (let key = 7; key < 12; key += 1) recent.set(`${key}`, key);
  expect(known()).toEqual([0, 5, 6, 7, 8, 9, 10, 11]);
  for (let key = 12; key < 40; key += 1) {
    recent.set(`${key}`, key);
    expect(known().length).toBeWithin(5, 11);
    expect(known().slice(-5)).toEqual([key - 4, key - 3, key - 2, key - 1, key]);
  }
});

test("a value that is set again is the one that counts, and one that is deleted is gone", () => {
  const recent = createRecent<string>(4);
  for (const value of ["a", "b"]) recent.set("key", value);
  for (const key of ["1", "2"]) recent.set(key, key);
  recent.set("key", "c");
  expect(recent.get("key")).toBe("c");
  recent.delete("key");
  expect(recent.get("key")).toBeUndefined();
});
