import { expect, test } from "bun:test";
import { createWorkSlots } from "./work-slots.ts";

test("no more work runs than there are slots, in order; what is given up does not wait for one", async () => {
  const slots = createWorkSlots(2);
  const running: string[] = [];
  const ends = new Map<string, () => void>();
  const start = (name: string, signal = new AbortController().signal) =>
    slots.run(signal, () => {
      running.push(name);
      return new Promise<void>((resolve) => {
        ends.set(name, resolve);
      });
    });
  const giveUp = new AbortController();
  const all = [start("a"), start("b"), start("c"), start("given up", giveUp.signal), start("d")];
  await Bun.sleep(0);
  expect(running).toEqual(["a", "b"]);
  giveUp.abort();
  await Bun.sleep(0);
  expect(running).toEqual(["a", "b", "given up"]);
  ends.get("given up")?.();
  await Bun.sleep(0);
  expect(running).toEqual(["a", "b", "given up"]);
  ends.get("b")?.();
  await Bun.sleep(0);
  expect(running).toEqual(["a", "b", "given up", "c"]);
  ends.get("a")?.();
  await Bun.sleep(0);
  expect(running).toEqual(["a", "b", "given up", "c", "d"]);
  for (const end of ends.values()) end();
  await Promise.all(all);
});

test("work that throws leaves its slot to the first that waits; a slot for which nobody waits any more is free", async () => {
  const slots = createWorkSlots(1);
  const { signal } = new AbortController();
  const gate = Promise.withResolvers<void>();
  const failing = slots.run(signal, () => gate.promise);
  const giveUp = new AbortController();
  const ran: string[] = [];
  const givenUp = slots.run(giveUp.signal, async () => void ran.push("given up"));
  const waiting = slots.run(signal, async () => void ran.push("waiting"));
  gate.reject(new Error("why"));
  giveUp.abort();
  await expect(failing).rejects.toThrow("why");
  await Promise.all([givenUp, waiting]);
  expect(ran).toEqual(["given up", "waiting"]);
  await slots.run(signal, async () => void ran.push("later"));
  expect(ran.at(-1)).toBe("later");
});
