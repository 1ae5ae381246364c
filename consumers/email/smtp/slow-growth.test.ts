import { expect, test } from "bun:test";
import { ConnectionLimit } from "./capacity.ts";
import { Pace } from "./pace.ts";
import { createSendSlots } from "./send-slots.ts";

/** Slots over ten connections, of which the server is known to grant four, if it is: mails hold what they get. */
const slotsOf = ({ isKnown, isSlow }: { readonly isKnown: boolean; readonly isSlow: boolean }) => {
  let nowMs = 0;
  const now = () => nowMs;
  const limit = new ConnectionLimit(10, { now, first: 4 });
  if (isKnown) limit.refused(4);
  const slots = createSendSlots({ limit, pace: new Pace({ now }), idle: () => 10, isOpening: () => false, now });
  const ask = (slow: boolean) =>
    slots.take(new AbortController().signal, { until: 1e9, refused: undefined, isDoubtful: slow, isSlow: () => slow });
  return {
    granted: () => limit.granted,
    /** Ten wait, and are looked at for a minute. */
    wait: async () => {
      const other = await ask(false);
      if (typeof other === "object" && "free" in other) other.free();
      for (let n = 0; n < 10; n += 1) void ask(isSlow);
      for (let second = 0; second < 60; second += 1) {
        nowMs += 1_000;
        slots.look();
      }
    },
  };
};

test("mails of slow domains alone ask for no connection more, once the server has shown a limit: the one that they leave to others would be refused", async () => {
  const [slow, quick] = [slotsOf({ isKnown: true, isSlow: true }), slotsOf({ isKnown: true, isSlow: false })];
  await slow.wait();
  await quick.wait();
  expect(slow.granted()).toBe(4);
  expect(quick.granted()).toBeGreaterThan(4);
});

test("they do where none is known: so far only few were asked for", async () => {
  const { wait, granted } = slotsOf({ isKnown: false, isSlow: true });
  await wait();
  expect(granted()).toBeGreaterThan(4);
});
