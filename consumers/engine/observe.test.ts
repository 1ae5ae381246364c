import { expect, test } from "bun:test";
import type { RunningAttempt } from "./in-flight.ts";
import { createObserver, deliveryReason } from "./observe.ts";
import { aRunningAttempt } from "./running-attempt-for-tests.ts";
import type { Settler } from "./settler.ts";

const untouched = { attempts: 0, systemFailures: 0, tookOver: false };

test.each([
  ["never attempted", 1, {}, "first"],
  ["an attempt failed", 1, { attempts: 1 }, "retry"],
  ["the system failed", 1, { systemFailures: 2 }, "retry"],
  ["its consumer died before the ledger knew", 2, {}, "claim"],
  ["its owner's lease ran out", 1, { tookOver: true }, "claim"],
  ["its consumer died in a retry", 2, { attempts: 1, tookOver: true }, "claim"],
] as const)("%s", (_, deliveries, claim, reason) => {
  expect(deliveryReason({ deliveries, raw: [] }, { ...untouched, ...claim })).toBe(reason);
});

test("an attempt that did not reach the system is followed by a retry", () => {
  expect(deliveryReason({ deliveries: 1, raw: ["unreached", "1"] }, untouched)).toBe("retry");
});

const nothing = async () => {};
const quietSettler: Settler = {
  settle: nothing,
  complete: nothing,
  delay: nothing,
  reject: nothing,
  dismiss: nothing,
  pass: nothing,
  release: nothing,
  passOver: nothing,
};

test("without telemetry, too, work that was done in this attempt is reported with its age, and no other", async () => {
  let now = 0;
  const ages: number[] = [];
  const observer = createObserver({
    events: "{s}:events",
    group: "g",
    consumer: "c",
    hop: "parent",
    isIdempotent: false,
    now: () => now,
    onDone: (ms) => ages.push(ms),
  });
  const settler = observer.settler(quietSettler);
  const run = (attempt: RunningAttempt, isCommitted: boolean) =>
    observer.around(attempt, async () => {
      now += 40;
      attempt.isCommitted = isCommitted;
      await settler.settle(attempt, { kind: "done" });
    });
  await run(aRunningAttempt(), false);
  await run(aRunningAttempt(), true);
  expect(ages).toEqual([1_040]);
});
