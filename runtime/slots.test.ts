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

test("a turn that has ended is somebody else's when it is handed on: until then nobody begins", async () => {
  const handedOn: (() => void)[] = [];
  const handOn = (end: () => void) => void handedOn.push(end);
  const slots = createSlots({ size: 1, maxWaitMs: Infinity, onFull: () => new Full(), handOn });
  const begun: string[] = [];
  await slots.run(async () => void begun.push("first"));
  const waiting = slots.run(async () => void begun.push("second"));
  expect(slots.take()).toBeUndefined();
  await Bun.sleep(0);
  expect(begun).toEqual(["first"]);
  handedOn.shift()?.();
  await waiting;
  expect(begun).toEqual(["first", "second"]);
  expect(slots.take()).toBeUndefined();
  handedOn.shift()?.();
  expect(slots.take()).toBeDefined();
});

test("a piece that set its turn aside is refused where the queue is full by then, and gives up no turn that is another's", async () => {
  const slots = createSlots({ size: 1, maxWaitMs: Infinity, maxWaiting: 1, onFull: () => new Full() });
  const [awaited, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const begun: string[] = [];
  const asidePiece = slots.run(async (setAside) => {
    begun.push("aside");
    await setAside(awaited.promise);
    begun.push("again");
  });
  await Promise.resolve();
  const next = slots.run(async () => {
    begun.push("next");
    await gate.promise;
  });
  const last = slots.run(async () => void begun.push("last"));
  await Bun.sleep(0);
  expect(begun).toEqual(["aside", "next"]);
  awaited.resolve();
  expect(await asidePiece.catch((error: unknown) => error)).toBeInstanceOf(Full);
  await Bun.sleep(0);
  expect(begun).toEqual(["aside", "next"]);
  gate.resolve();
  await Promise.all([next, last]);
  expect(begun).toEqual(["aside", "next", "last"]);
  const own = slots.take();
  expect(own).toBeDefined();
  expect(slots.take()).toBeUndefined();
});

test("a piece whose wait fails, or that fails, leaves its turn to the first that waits, once", async () => {
  const slots = createSlots({ size: 1, maxWaitMs: Infinity, onFull: () => new Full() });
  const why = new Error("why");
  const failed = await slots.run((setAside) => setAside(Promise.reject(why))).catch((error: unknown) => error);
  expect(failed).toBe(why);
  expect(await slots.run(() => Promise.reject(why)).catch((error: unknown) => error)).toBe(why);
  expect(slots.take()).toBeDefined();
  expect(slots.take()).toBeUndefined();
});
