import { expect, spyOn, test } from "bun:test";
import { createInFlight } from "./in-flight.ts";

const entry = (id: number, isTakenOver = false) => ({
  stream: "s",
  id: `${id}-0`,
  raw: [],
  deliveries: 1,
  isTakenOver,
  deathsAlone: 0,
});

test("what was claimed from the dead takes no room from what is read", () => {
  const inFlight = createInFlight(2);
  inFlight.take(entry(1));
  inFlight.take(entry(2));
  inFlight.take(entry(3, true));
  expect([inFlight.room(), inFlight.claimRoom()]).toEqual([0, 1]);
  inFlight.release(entry(1));
  inFlight.release(entry(3, true));
  expect([inFlight.room(), inFlight.claimRoom(), inFlight.size()]).toEqual([1, 2, 1]);
});

test("a wait for room ends by itself, and leaves no listener behind", async () => {
  const inFlight = createInFlight(1);
  inFlight.take(entry(1));
  const stop = new AbortController();
  const add = spyOn(stop.signal, "addEventListener");
  const remove = spyOn(stop.signal, "removeEventListener");
  for (let turn = 0; turn < 3; turn += 1) await inFlight.untilRoom(1, 1, stop.signal);
  expect([add.mock.calls.length, remove.mock.calls.length]).toEqual([3, 3]);
});
