import { expect, test } from "bun:test";
import { createLoopShare } from "./loop-share.ts";

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

test("so much begins in a turn of the event loop under one key, the rest in the next ones, in order; other keys do not wait", async () => {
  const share = createLoopShare(2);
  const begun: string[] = [];
  const begin = (name: string) => {
    const wait = share.take(name[0] ?? "");
    if (wait === undefined) begun.push(name);
    else void wait.then(() => begun.push(name));
  };
  for (const name of ["a1", "a2", "a3", "b1", "a4", "a5"]) begin(name);
  expect(begun).toEqual(["a1", "a2", "b1"]);
  await nextTurn();
  expect(begun.slice(3)).toEqual(["a3", "a4"]);
  // Whoever comes now is behind those that wait.
  begin("a6");
  expect(begun).toHaveLength(5);
  await nextTurn();
  expect(begun.slice(5)).toEqual(["a5", "a6"]);
  await nextTurn();
  begin("a7");
  expect(begun.at(-1)).toBe("a7");
});
