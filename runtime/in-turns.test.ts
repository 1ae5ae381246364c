import { expect, test } from "bun:test";
import { inTurns } from "./in-turns.ts";

const named = (...names: readonly string[]) => names.map((name) => ({ name }));

test("each gets a turn, whatever the others' errors, and the error names whose it is", async () => {
  const seen: string[] = [];
  const one = inTurns(named("a", "b", "c"), async ({ name }) => {
    seen.push(name);
    if (name === "a") throw new Error("wrong type");
    return "idle";
  });
  await expect(one).rejects.toThrow(/^a: wrong type$/);
  expect(seen).toEqual(["a", "b", "c"]);

  const all = inTurns(named("a", "b"), async () => {
    throw new Error("away");
  });
  await expect(all).rejects.toThrow(/^a: away; b: away$/);
  await expect(all).rejects.toBeInstanceOf(AggregateError);
});

test("those that have more take turns, so that a long backlog delays nobody; an error ends one's turns", async () => {
  const left = new Map(Object.entries({ long: 4, short: 1, broken: 2 }));
  const seen: string[] = [];
  const turns = inTurns(named("long", "broken", "short"), async ({ name }) => {
    seen.push(name);
    const batches = (left.get(name) ?? 0) - 1;
    left.set(name, batches);
    if (name === "broken" && batches === 0) throw new Error("broke");
    return batches > 0 ? "again" : "idle";
  });
  await expect(turns).rejects.toThrow("broken: broke");
  expect(seen).toEqual(["long", "broken", "short", "long", "broken", "long", "long"]);
});

test("an abort ends it before the next turn", async () => {
  const controller = new AbortController();
  const seen: string[] = [];
  await inTurns(
    named("a", "b"),
    async ({ name }) => {
      seen.push(name);
      controller.abort();
      return "again";
    },
    controller.signal,
  );
  expect(seen).toEqual(["a"]);
});
