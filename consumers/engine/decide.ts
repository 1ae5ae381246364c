import type { Settlement } from "../../database/settle-emails.ts";
import type { Outcome } from "./outcome.ts";
import { retryDelayMs } from "./retry-delay.ts";

/** What an entry's settling comes to: first the ledger's change, then the entry's move. */
export interface Decision {
  readonly ledger: Pick<
    Settlement,
    | "state"
    | "attempts"
    | "system_failures"
    | "uncertain"
    | "delay_ms"
    | "reason"
    | "server_reply"
    | "message_id"
    | "suppress"
  >;
  readonly move:
    | { readonly kind: "ack" }
    | { readonly kind: "set-aside"; readonly delayMs: number }
    | { readonly kind: "bury"; readonly reason: string; readonly detail: string }
    | { readonly kind: "hand-back" };
}

export interface Counters {
  /** Before this try. */
  readonly attempts: number;
  readonly systemFailures: number;
}

export interface RetryPolicy {
  /** Tries after the first. */
  readonly retryMax: number;
  readonly retryDelayMs: number;
  readonly uncertain: "resend" | "hold";
}

/** Longest delay between tries that an answer of the mail server asked for. */
const RETRY_CAP_MS = 3_600_000;
/** Longest delay after failures of the system: it should be back soon, and nobody should wait for long after. */
const SYSTEM_CAP_MS = 300_000;

const unchanged = {
  attempts: 0,
  system_failures: 0,
  uncertain: 0,
  delay_ms: null,
  reason: null,
  server_reply: null,
  message_id: null,
  suppress: false,
} as const;

/**
 * What follows from an outcome. Pure: the same outcome and counters give the same decision, `random` aside.
 *
 * Only tries that a working mail server answered, or that were cut off after 354, use up an attempt.
 */
export const decide = (outcome: Outcome, counters: Counters, policy: RetryPolicy, random: () => number): Decision => {
  const attemptsNow = counters.attempts + 1;
  const again = (minDelayMs = 0): number =>
    Math.max(minDelayMs, retryDelayMs(attemptsNow, policy.retryDelayMs, RETRY_CAP_MS, random));
  switch (outcome.kind) {
    case "sent":
      return {
        ledger: {
          ...unchanged,
          state: "sent",
          attempts: 1,
          server_reply: outcome.reply,
          message_id: outcome.messageId,
        },
        move: { kind: "ack" },
      };
    case "transient": {
      const reply = { attempts: 1, server_reply: outcome.reply ?? null };
      if (attemptsNow > policy.retryMax) return exhausted(outcome.reason, reply);
      const delayMs = again(outcome.minDelayMs);
      return {
        ledger: { ...unchanged, ...reply, state: "retrying", delay_ms: delayMs, reason: outcome.reason },
        move: { kind: "set-aside", delayMs },
      };
    }
    case "system": {
      const delayMs = retryDelayMs(counters.systemFailures + 1, policy.retryDelayMs, SYSTEM_CAP_MS, random);
      return {
        ledger: {
          ...unchanged,
          state: "retrying",
          system_failures: 1,
          delay_ms: delayMs,
          reason: outcome.reason,
          server_reply: outcome.reply ?? null,
        },
        move: { kind: "set-aside", delayMs },
      };
    }
    case "permanent":
      return {
        ledger: {
          ...unchanged,
          state: "dead",
          // What no server said (too old, poison, an address that cannot be used) is no attempt.
          attempts: outcome.reply === undefined ? 0 : 1,
          suppress: outcome.suppressAddress,
          reason: outcome.reason,
          server_reply: outcome.reply ?? null,
        },
        move: { kind: "bury", reason: outcome.reason, detail: outcome.reply ?? "" },
      };
    case "uncertain": {
      if (policy.uncertain === "hold") {
        return {
          ledger: { ...unchanged, state: "held", attempts: 1, uncertain: 1, reason: outcome.reason },
          move: { kind: "ack" },
        };
      }
      if (attemptsNow > policy.retryMax) return exhausted(outcome.reason, { attempts: 1, uncertain: 1 });
      const delayMs = again();
      return {
        ledger: {
          ...unchanged,
          state: "uncertain",
          attempts: 1,
          uncertain: 1,
          delay_ms: delayMs,
          reason: outcome.reason,
        },
        move: { kind: "set-aside", delayMs },
      };
    }
    case "released":
      return { ledger: { ...unchanged, state: "queued", reason: outcome.reason }, move: { kind: "hand-back" } };
  }
};

const exhausted = (lastReason: string, counters: Partial<Decision["ledger"]>): Decision => ({
  ledger: { ...unchanged, ...counters, state: "dead", reason: "retries_exhausted" },
  move: { kind: "bury", reason: "retries_exhausted", detail: lastReason },
});
