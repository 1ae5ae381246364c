import { expect, test } from "bun:test";
import { createCallWatch } from "./call-watch.ts";

const START = Date.parse("2026-01-01T00:00:00Z");

const aWatch = () => {
  const clock = { ms: START };
  return { clock, watch: createCallWatch({ wallClock: () => new Date(clock.ms) }) };
};

test("a call that fails is a fault since its first failure, until it succeeds", async () => {
  const { clock, watch } = aWatch();
  let fails = true;
  const ask = watch.watched("ledger: claim", async () => {
    if (fails) throw Object.assign(new Error("canceling statement due to lock timeout"), { code: "55P03" });
  });
  expect(watch.faults()).toEqual({});
  await ask().catch(() => {});
  clock.ms += 60_000;
  await ask().catch(() => {});
  expect(watch.faults()).toEqual({
    "ledger: claim": "PostgreSQL refuses a statement (55P03); since 2026-01-01T00:00:00.000Z",
  });
  fails = false;
  await ask();
  expect(watch.faults()).toEqual({});
});

test("a failure after which nobody calls any more is forgotten", async () => {
  const { clock, watch } = aWatch();
  await watch
    .watched("ledger: renew", () => Promise.reject(new Error("timeout")))()
    .catch(() => {});
  expect(Object.keys(watch.faults())).toEqual(["ledger: renew"]);
  clock.ms += 31_000;
  expect(watch.faults()).toEqual({});
});

test("a call without an answer is a fault since it was made", async () => {
  const { clock, watch } = aWatch();
  const { promise, resolve } = Promise.withResolvers<void>();
  const asked = watch.watched("ledger: settle", () => promise)();
  expect(watch.faults()).toEqual({});
  clock.ms += 5_000;
  expect(watch.faults()).toEqual({ "ledger: settle": "no answer; since 2026-01-01T00:00:00.000Z" });
  resolve();
  await asked;
  expect(watch.faults()).toEqual({});
});
