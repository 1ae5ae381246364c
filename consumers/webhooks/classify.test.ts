import { expect, test } from "bun:test";
import type { WebhookResult } from "../../runtime/webhook/send.ts";
import type { Outcome } from "../engine/handler.ts";
import { classify, patienceMs } from "./classify.ts";

const HOUR_MS = 3_600_000;
const answered = (status: number, retryAfterMs?: number): WebhookResult => ({
  kind: "answered",
  status,
  ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
});

/** At an age of 20 minutes: a quarter of it is 5. */
test.each<[WebhookResult, Outcome]>([
  [answered(200), { kind: "done", reply: "200" }],
  [answered(299), { kind: "done", reply: "299" }],
  [answered(410), { kind: "unavailable", reason: "receiver_gone", reply: "410", pausesGroup: true }],
  [answered(429, 9_000), { kind: "unavailable", reason: "status_429", reply: "429", minDelayMs: 9_000 }],
  [answered(503, 9_000), { kind: "unavailable", reason: "status_503", reply: "503", minDelayMs: 9_000 }],
  [answered(429), { kind: "unavailable", reason: "status_429", reply: "429", minDelayMs: 300_000 }],
  [answered(400), { kind: "rejected", reason: "status_400", reply: "400" }],
  [answered(422, 9_000), { kind: "rejected", reason: "status_422", reply: "422" }],
  ...[401, 403, 404, 405, 407, 421, 423, 425, 426].map((status): [WebhookResult, Outcome] => [
    answered(status),
    { kind: "unavailable", reason: `status_${status}`, reply: String(status), minDelayMs: 300_000 },
  ]),
  [answered(408), { kind: "unavailable", reason: "status_408", reply: "408", minDelayMs: 300_000 }],
  [answered(500), { kind: "unavailable", reason: "status_500", reply: "500", minDelayMs: 300_000 }],
  [answered(500, 9_000), { kind: "unavailable", reason: "status_500", reply: "500", minDelayMs: 300_000 }],
  [answered(302), { kind: "unavailable", reason: "redirect_refused", reply: "302", minDelayMs: 300_000 }],
  [answered(101), { kind: "unavailable", reason: "status_101", reply: "101", minDelayMs: 300_000 }],
  [
    { kind: "failed", reason: "timeout" },
    { kind: "unavailable", reason: "timeout", minDelayMs: 300_000 },
  ],
  [
    { kind: "failed", reason: "address_refused" },
    { kind: "unavailable", reason: "address_refused" },
  ],
  [
    { kind: "failed", reason: "connection_refused" },
    { kind: "unavailable", reason: "connection_refused" },
  ],
  [{ kind: "stopped" }, { kind: "released", reason: "stopped" }],
])("%o is %o", (result, outcome) => {
  expect(classify(result, { ageMs: HOUR_MS / 3 })).toEqual(outcome);
});

test("only 429 and 503 ask for patience", () => {
  const asked = [429, 503, 500, 302, 200, 404].map((status) => patienceMs(answered(status, 9_000)));
  expect(asked).toEqual([9_000, 9_000, undefined, undefined, undefined, undefined]);
  expect(patienceMs(answered(429))).toBeUndefined();
});

test("the delay after failures grows to an hour, and a day holds fewer than sixty attempts", () => {
  let ageMs = 0;
  let attempts = 0;
  while (ageMs < 24 * HOUR_MS) {
    const outcome = classify(answered(500), { ageMs });
    const minDelayMs = outcome.kind === "unavailable" ? (outcome.minDelayMs ?? 0) : 0;
    expect(minDelayMs).toBeLessThanOrEqual(HOUR_MS);
    // The engine's own delay is 15 s at least.
    ageMs += Math.max(15_000, minDelayMs);
    attempts += 1;
  }
  expect(attempts).toBeGreaterThan(20);
  expect(attempts).toBeLessThan(60);
});
