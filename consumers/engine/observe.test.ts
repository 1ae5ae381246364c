import { expect, test } from "bun:test";
import { deliveryReason } from "./observe.ts";

const untouched = { attempts: 0, systemFailures: 0, tookOver: false };

test.each([
  ["never attempted", 1, {}, "first"],
  ["an attempt failed", 1, { attempts: 1 }, "retry"],
  ["the system failed", 1, { systemFailures: 2 }, "retry"],
  ["its consumer died before the ledger knew", 2, {}, "claim"],
  ["its owner's lease ran out", 1, { tookOver: true }, "claim"],
  ["its consumer died in a retry", 2, { attempts: 1, tookOver: true }, "claim"],
] as const)("%s", (_, deliveries, claim, reason) => {
  expect(deliveryReason({ deliveries }, { ...untouched, ...claim })).toBe(reason);
});
