import { expect, test } from "bun:test";
import { createSlots } from "./slots.ts";

class Full extends Error {}

test("no more pieces run at once than there are slots, and those that wait begin in order", async () => {
  const slots = createSlots({ size: 2, maxWaitMs: Infinity, onFull: () => new Full() });
  const begun: number[] = [];
  const gates = [0, 1, 2, 3].map(() => Promise.withResolvers<void>());
  const all = gates.map((gate, index) =>
    slots.run(async () => {
      begun.push(index);
      await gate.promise;
    }),
  );
  await Promise.resolve();
  expect(begun).toEqual([0, 1]);
  gates[1]?.resolve();
  await all[1];
  await Promise.resolve();
  expect(begun).toEqual([0, 1, 2]);
  for (const gate of gates) gate.resolve();
  await Promise.all(all);
  expect(begun).toEqual([0, 1, 2, 3]);
});

test("pieces that wait may be refused, and later ones begin", async () => {
  const slots = createSlots({ size: 1, maxWaitMs: Infinity, onFull: () => new Full() });
  const gate = Promise.withResolvers<void>();
  const first = slots.run(() => gate.promise);
  const waiting = [1, 2].map(() => slots.run(async () => "begun").catch((error: unknown) => error));
  const why = new Error("why");
  slots.refuseWaiting(why);
  expect(await Promise.all(waiting)).toEqual([why, why]);
  const later = slots.run(async () => "later");
  gate.resolve();
  await first;
  expect(await later).toBe("later");
});

test("a piece whose turn does not come in time never begins, and neither does one too many", async () => {
  const slots = createSlots({ size: 1, maxWaitMs: 5, maxWaiting: 1, onFull: () => new Full() });
  const gate = Promise.withResolvers<void>();
  const first = slots.run(() => gate.promise);
  const late = slots.run(async () => "late");
  expect(slots.run(async () => "too many")).rejects.toBeInstanceOf(Full);
  expect(late).rejects.toBeInstanceOf(Full);
  await late.catch(() => {});
  gate.resolve();
  await first;
  expect(await slots.run(async () => "free again")).toBe("free again");
});
