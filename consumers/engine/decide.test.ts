import { describe, expect, test } from "bun:test";
import { loadSettings } from "../../settings/load.ts";
import { decide, type RetryPolicy } from "./decide.ts";
import { DEFAULT_RETRY_MAX } from "./factory.ts";
import type { Outcome } from "./handler.ts";

const policy: RetryPolicy = { retryMax: 3, retryDelayMs: 1_000, uncertain: "resend", isIdempotent: false };
const longest = () => 1;
const none = { attempts: 0, systemFailures: 0, uncertain: 0, unreached: 0 };

interface Row {
  readonly outcome: Outcome;
  readonly attempts?: number;
  readonly systemFailures?: number;
  readonly before?: number;
  readonly unreached?: number;
  readonly hold?: boolean;
  readonly isIdempotent?: boolean;
  readonly state: string;
  readonly move: string;
  readonly uses: number;
  readonly delayMs?: number;
  readonly reason?: string;
}

const transient: Outcome = { kind: "transient", reason: "mailbox_full" };
const unreachable: Outcome = { kind: "unavailable", reason: "connection_refused", isUnreached: true };
const uncertain: Outcome = { kind: "uncertain", reason: "deadline" };

const rows: readonly Row[] = [
  { outcome: { kind: "done", reply: "250", receipt: "m" }, state: "done", move: "ack", uses: 1 },
  { outcome: transient, state: "retrying", move: "delay", uses: 1, delayMs: 1_000 },
  { outcome: transient, attempts: 1, state: "retrying", move: "delay", uses: 1, delayMs: 2_000 },
  { outcome: transient, attempts: 2, state: "retrying", move: "delay", uses: 1, delayMs: 4_000 },
  { outcome: transient, attempts: 3, state: "dead", move: "dead-letter", uses: 1, reason: "retries_exhausted" },
  { outcome: { ...transient, minDelayMs: 9_000 }, state: "retrying", move: "delay", uses: 1, delayMs: 9_000 },
  { outcome: { kind: "unavailable", reason: "dns" }, state: "retrying", move: "delay", uses: 0, delayMs: 1_000 },
  {
    outcome: { kind: "unavailable", reason: "status_503", minDelayMs: 900_000 },
    state: "retrying",
    move: "delay",
    uses: 0,
    delayMs: 900_000,
  },
  {
    outcome: { kind: "unavailable", reason: "dns" },
    attempts: 3,
    systemFailures: 30,
    state: "retrying",
    move: "delay",
    uses: 0,
    delayMs: 300_000,
  },
  {
    outcome: { kind: "rejected", reason: "no_such_address", reply: "550 5.1.1" },
    state: "dead",
    move: "dead-letter",
    uses: 1,
    reason: "no_such_address",
  },
  { outcome: uncertain, state: "uncertain", move: "delay", uses: 1, delayMs: 1_000 },
  { outcome: uncertain, attempts: 3, state: "dead", move: "dead-letter", uses: 1, reason: "retries_exhausted" },
  // Each repetition may be a duplicate, so there are three, however many attempts there are.
  { outcome: uncertain, before: 2, state: "uncertain", move: "delay", uses: 1, delayMs: 1_000 },
  { outcome: uncertain, before: 3, state: "dead", move: "dead-letter", uses: 1, reason: "retries_exhausted" },
  { outcome: uncertain, hold: true, state: "held", move: "ack", uses: 1 },
  {
    outcome: { kind: "held", reason: "party_refuses", reply: "550 5.7.1" },
    state: "held",
    move: "ack",
    uses: 1,
    reason: "party_refuses",
  },
  // Until its time is over, and without anybody having been asked.
  { outcome: { kind: "held", reason: "used_up", forMs: 9_000 }, state: "held", move: "ack", uses: 0, delayMs: 9_000 },
  {
    outcome: { kind: "delayed", reason: "party_waits", delayMs: 7 },
    state: "retrying",
    move: "delay",
    uses: 0,
    delayMs: 7,
  },
  // The longest delay of one that finds no room.
  {
    outcome: { kind: "unavailable", reason: "connection_limit", hasNoRoom: true },
    unreached: 30,
    state: "retrying",
    move: "delay",
    uses: 0,
    delayMs: 30_000,
  },
  // Where the system was not reached: by how often it was not in a row, whatever it did before.
  ...[1_000, 2_000, 4_000, 8_000].map((delayMs, unreached) => ({
    ...{ outcome: unreachable, systemFailures: 30, unreached, state: "retrying", move: "delay", uses: 0, delayMs },
  })),
  { outcome: unreachable, unreached: 30, state: "retrying", move: "delay", uses: 0, delayMs: 300_000 },
  { outcome: uncertain, isIdempotent: true, hold: true, state: "retrying", move: "delay", uses: 1, delayMs: 1_000 },
  {
    outcome: { kind: "uncertain", reason: "stopped" },
    isIdempotent: true,
    attempts: 3,
    state: "queued",
    move: "release",
    uses: 0,
  },
  { outcome: { kind: "rejected", reason: "expired" }, state: "dead", move: "dead-letter", uses: 0, reason: "expired" },
  { outcome: { kind: "released", reason: "stopped" }, attempts: 3, state: "queued", move: "release", uses: 0 },
];

describe("what follows from an outcome", () => {
  test.each(
    rows.map((row) => [`${row.outcome.kind} after ${row.attempts ?? 0} attempts -> ${row.state}`, row] as const),
  )("%s", (_, row) => {
    const { attempts = 0, systemFailures = 0, before = 0, unreached = 0 } = row;
    const counters = { attempts, systemFailures, uncertain: before, unreached };
    const { hold = false, isIdempotent = false } = row;
    const own: RetryPolicy = { ...policy, isIdempotent, uncertain: hold ? "hold" : "resend" };
    const decision = decide(row.outcome, counters, own, longest);
    expect(decision.ledger.state).toBe(row.state as typeof decision.ledger.state);
    expect(decision.move.kind).toBe(row.move as typeof decision.move.kind);
    expect(decision.ledger.attempts).toBe(row.uses);
    expect(decision.ledger.delay_ms).toBe(row.delayMs ?? null);
    if (row.reason !== undefined) expect(decision.ledger.reason).toBe(row.reason);
  });
});

test("the default retries begin after half a minute, survive hours, and end before a mail expires", () => {
  const { RETRY_DELAY_MS: retryDelayMs, MAIL_EXPIRE_AFTER_MS: expireMs } = loadSettings("consumer", {
    DATABASE_URL: "postgres://localhost/x",
    REDIS_URL: "redis://localhost",
  });
  const retryMax = DEFAULT_RETRY_MAX;
  const spanMs = (random: () => number) => {
    let sumMs = 0;
    for (let attempts = 0; attempts < retryMax; attempts += 1) {
      const own = { ...policy, retryMax, retryDelayMs };
      sumMs += decide(transient, { ...none, attempts }, own, random).ledger.delay_ms ?? 0;
    }
    return sumMs;
  };
  expect(decide(transient, none, { ...policy, retryDelayMs }, longest).move).toEqual({
    kind: "delay",
    delayMs: 30_000,
  });
  expect(spanMs(() => 0)).toBeGreaterThan(24 * 3_600_000);
  expect(spanMs(longest)).toBeLessThan(expireMs);
});

test("how often the system was not reached counts for nothing but the delay", () => {
  const own = { ...policy, retryDelayMs: 30_000 };
  const { ledger, move } = decide(unreachable, { ...none, unreached: 3 }, own, longest);
  expect(ledger).toMatchObject({ attempts: 0, system_failures: 0, uncertain: 0, reason: "connection_refused" });
  expect(move).toEqual({ kind: "delay", delayMs: 8_000, isUnreached: true });
});

test("what was hastened in vain is due when it would have been; what was not has its own delay", () => {
  const told: Outcome = { kind: "unavailable", reason: "greylisted", party: "a.example", minDelayMs: 300_000 };
  const delayOf = (outcome: Outcome, earlyMs: number) => decide(outcome, { ...none, earlyMs }, policy, longest).move;
  expect(delayOf(told, 0)).toEqual({ kind: "delay", delayMs: 300_000, isDeclined: true });
  expect(delayOf(told, 200_000)).toEqual({ kind: "delay", delayMs: 200_000, isDeclined: true });
  expect(delayOf(told, 1)).toEqual({ kind: "delay", delayMs: 1_000, isDeclined: true });
  expect(delayOf(unreachable, 200_000)).toEqual({ kind: "delay", delayMs: 1_000, isUnreached: true });
});

test("what the system had no room for counts for nothing but the delay, as what had no connection", () => {
  const full: Outcome = { kind: "unavailable", reason: "connection_limit", hasNoRoom: true };
  const own = { ...policy, retryDelayMs: 30_000 };
  const { ledger, move } = decide(full, { ...none, systemFailures: 30, unreached: 2 }, own, longest);
  expect(ledger).toMatchObject({ attempts: 0, system_failures: 0, uncertain: 0 });
  expect(move).toEqual({ kind: "delay", delayMs: 4_000, isUnreached: true });
  // Cut for others to have its connection: it was asked for.
  const slow = decide({ ...full, reason: "slow", party: "a.example" }, none, own, longest);
  expect(slow.ledger.system_failures).toBe(1);
});
