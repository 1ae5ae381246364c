import { expect, test } from "bun:test";
import { deliveryReason } from "./observe.ts";

const untried = { attempts: 0, systemFailures: 0, tookOver: false };

test.each([
  ["never tried", 1, {}, "first"],
  ["an attempt failed", 1, { attempts: 1 }, "retry"],
  ["the mail system failed", 1, { systemFailures: 2 }, "retry"],
  ["its consumer died before the ledger knew", 2, {}, "claim"],
  ["its sender's lease ran out", 1, { tookOver: true }, "claim"],
  ["its consumer died in a retry", 2, { attempts: 1, tookOver: true }, "claim"],
] as const)("%s", (_, deliveries, mail, reason) => {
  expect(deliveryReason({ deliveries }, { ...untried, ...mail })).toBe(reason);
});
