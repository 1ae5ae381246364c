import type { Settlement } from "../../database/ledger/settle.ts";
import { backoffMs } from "../../runtime/backoff.ts";
import type { Outcome, Policy } from "./handler.ts";

/** What an entry's settling comes to: first the ledger's change, then the entry's move. */
export interface Decision {
  readonly ledger: Omit<Settlement, "event_id" | "fence">;
  readonly move:
    | { readonly kind: "ack" }
    | { readonly kind: "delay"; readonly delayMs: number }
    | { readonly kind: "dead-letter"; readonly reason: string; readonly detail: string }
    | { readonly kind: "release" };
}

export interface Counters {
  /** Before this attempt. */
  readonly attempts: number;
  readonly systemFailures: number;
}

export type RetryPolicy = Pick<Policy, "retryMax" | "retryDelayMs" | "uncertain" | "isIdempotent">;

/** Longest delay between attempts that an answer of the other side asked for. */
const RETRY_CAP_MS = 3_600_000;
/** Longest delay after failures of the system: it should be back soon, and nobody should wait for long after. */
const SYSTEM_CAP_MS = 300_000;

const unchanged = {
  attempts: 0,
  system_failures: 0,
  uncertain: 0,
  delay_ms: null,
  reason: null,
  receipt: null,
  reply: null,
} as const;

/**
 * What follows from an outcome. Pure: the same outcome and counters give the same decision, `random` aside.
 *
 * Only attempts that a working system answered, or that were cut off after their commit point, use one up. Where the effect
 * is idempotent nothing is uncertain: the work is simply attempted again.
 */
export const decide = (outcome: Outcome, counters: Counters, policy: RetryPolicy, random: () => number): Decision => {
  const attemptsNow = counters.attempts + 1;

  const again = (
    state: "retrying" | "uncertain",
    reason: string,
    used: Partial<Decision["ledger"]>,
    minDelayMs = 0,
  ): Decision => {
    if (attemptsNow > policy.retryMax) {
      return {
        ledger: { ...unchanged, ...used, state: "dead", reason: "retries_exhausted" },
        move: { kind: "dead-letter", reason: "retries_exhausted", detail: reason },
      };
    }
    const delayMs = Math.max(minDelayMs, backoffMs(attemptsNow, policy.retryDelayMs, RETRY_CAP_MS, random));
    return {
      ledger: { ...unchanged, ...used, state, delay_ms: delayMs, reason },
      move: { kind: "delay", delayMs },
    };
  };

  switch (outcome.kind) {
    case "done": {
      const { receipt = null, reply = null } = outcome;
      return { ledger: { ...unchanged, state: "done", attempts: 1, receipt, reply }, move: { kind: "ack" } };
    }
    case "transient":
      return again("retrying", outcome.reason, { attempts: 1, reply: outcome.reply ?? null }, outcome.minDelayMs);
    case "unavailable": {
      const { reason, reply = null } = outcome;
      const delayMs = backoffMs(counters.systemFailures + 1, policy.retryDelayMs, SYSTEM_CAP_MS, random);
      return {
        ledger: { ...unchanged, state: "retrying", system_failures: 1, delay_ms: delayMs, reason, reply },
        move: { kind: "delay", delayMs },
      };
    }
    case "rejected": {
      const { reason, reply } = outcome;
      // What nobody was asked about (too old, poison) is no attempt.
      const attempts = reply === undefined ? 0 : 1;
      return {
        ledger: { ...unchanged, state: "dead", attempts, reason, reply: reply ?? null },
        move: { kind: "dead-letter", reason, detail: reply ?? "" },
      };
    }
    case "uncertain": {
      const { reason } = outcome;
      if (policy.isIdempotent) return again("retrying", reason, { attempts: 1 });
      if (policy.uncertain === "resend") return again("uncertain", reason, { attempts: 1, uncertain: 1 });
      return { ledger: { ...unchanged, state: "held", attempts: 1, uncertain: 1, reason }, move: { kind: "ack" } };
    }
    case "released":
      return { ledger: { ...unchanged, state: "queued", reason: outcome.reason }, move: { kind: "release" } };
  }
};
