import type { Settlement } from "../../database/ledger/settle.ts";
import { backoffMs } from "../../runtime/backoff.ts";
import type { Outcome, Policy } from "./handler.ts";

/** How an entry is settled: first the change of the ledger, then the move of the entry. */
export interface Decision {
  readonly ledger: Omit<Settlement, "event_id" | "fence">;
  readonly move:
    | { readonly kind: "ack" }
    /**
     * `isUnreached`: nothing was asked of the system, or it had no room; its entry counts how often in a row. `isDeclined`: the system or a party declined
     * it for now.
     */
    | {
        readonly kind: "delay";
        readonly delayMs: number;
        readonly isUnreached?: boolean;
        readonly isDeclined?: boolean;
      }
    | { readonly kind: "dead-letter"; readonly reason: string; readonly detail: string }
    | { readonly kind: "release" };
}

export interface Counters {
  /** Before this attempt. */
  readonly attempts: number;
  readonly systemFailures: number;
  /** Times that it was unknown whether the effect took place. */
  readonly uncertain: number;
  /** Times in a row that the system was not reached. */
  readonly unreached: number;
  /** It was hastened: until it would have been due, in ms. 0 if not given. */
  readonly earlyMs?: number;
}

export type RetryPolicy = Pick<Policy, "retryMax" | "uncertainMax" | "retryDelayMs" | "uncertain" | "isIdempotent">;

/** Longest delay after a transient refusal or an uncertain outcome. */
const RETRY_CAP_MS = 4 * 3_600_000;
/** Times that work of which nobody knows whether it took place is repeated, unless the group says: each may be a duplicate. */
export const UNCERTAIN_MAX = 3;
/** Longest delay after failures of the system, so that work continues soon after the system is back. */
const SYSTEM_CAP_MS = 300_000;
/** First delay where there is no room, or no connection: a peer that has some takes it soon. */
const SOON_MS = 1_000;
const NO_ROOM_CAP_MS = 30_000;

const unchanged = {
  attempts: 0,
  system_failures: 0,
  uncertain: 0,
  delay_ms: null,
  reason: null,
  receipt: null,
  reply: null,
} as const;

/** Reason of what is cut off when its consumer stops. */
export const STOPPED = "stopped";

const released = (reason: string): Decision => ({
  ledger: { ...unchanged, state: "queued", reason },
  move: { kind: "release" },
});

/**
 * Decides how an outcome is settled. Pure: `random` aside, the same outcome and counters give the same decision.
 *
 * An attempt is used up only if a working system answered, or if it was cut off after its commit point. Idempotent work is
 * never uncertain: it is retried.
 */
export const decide = (outcome: Outcome, counters: Counters, policy: RetryPolicy, random: () => number): Decision => {
  const attemptsNow = counters.attempts + 1;

  const again = (
    state: "retrying" | "uncertain",
    reason: string,
    used: Partial<Decision["ledger"]>,
    {
      minDelayMs = 0,
      isOver = false,
      party,
    }: { readonly minDelayMs?: number; readonly isOver?: boolean; readonly party?: string } = {},
  ): Decision => {
    if (isOver || attemptsNow > policy.retryMax) {
      return {
        ledger: { ...unchanged, ...used, state: "dead", reason: "retries_exhausted" },
        move: { kind: "dead-letter", reason: "retries_exhausted", detail: reason },
      };
    }
    const delayMs = Math.max(minDelayMs, backoffMs(attemptsNow, policy.retryDelayMs, RETRY_CAP_MS, random));
    return {
      ledger: { ...unchanged, ...used, state, delay_ms: delayMs, reason },
      move: { kind: "delay", delayMs, ...(party === undefined ? {} : { isDeclined: true }) },
    };
  };

  switch (outcome.kind) {
    case "done": {
      const { receipt = null, reply = null } = outcome;
      return { ledger: { ...unchanged, state: "done", attempts: 1, receipt, reply }, move: { kind: "ack" } };
    }
    case "transient":
      return again("retrying", outcome.reason, { attempts: 1, reply: outcome.reply ?? null }, outcome);
    case "unavailable": {
      const { reason, reply = null, minDelayMs = 0, hasNoRoom = false, party } = outcome;
      // That there was no room for anybody says nothing of the piece, as that there was no connection.
      const isUnreached = outcome.isUnreached === true || (hasNoRoom && party === undefined);
      const baseMs = hasNoRoom || isUnreached ? Math.min(policy.retryDelayMs, SOON_MS) : policy.retryDelayMs;
      const before = isUnreached ? counters.unreached : counters.systemFailures;
      const growing = backoffMs(before + 1, baseMs, hasNoRoom ? NO_ROOM_CAP_MS : SYSTEM_CAP_MS, random);
      const isDeclined = party !== undefined && !hasNoRoom;
      const { earlyMs = 0 } = counters;
      // Hastened in vain, it is due when it would have been.
      const delayMs = isDeclined && earlyMs > 0 ? Math.max(SOON_MS, earlyMs) : Math.max(minDelayMs, growing);
      // `system_failures` says how often the system was asked for this piece, and failed.
      const system_failures = isUnreached ? 0 : 1;
      return {
        ledger: { ...unchanged, state: "retrying", system_failures, delay_ms: delayMs, reason, reply },
        move: {
          kind: "delay",
          delayMs,
          ...(isUnreached ? { isUnreached } : {}),
          ...(isDeclined ? { isDeclined } : {}),
        },
      };
    }
    case "rejected": {
      const { reason, reply } = outcome;
      // Rejected without asking the other system (expired, poison): no attempt.
      const attempts = reply === undefined ? 0 : 1;
      return {
        ledger: { ...unchanged, state: "dead", attempts, reason, reply: reply ?? null },
        move: { kind: "dead-letter", reason, detail: reply ?? "" },
      };
    }
    case "held": {
      const { reason, reply = null, forMs: delay_ms = null } = outcome;
      const attempts = reply === null ? 0 : 1;
      return { ledger: { ...unchanged, state: "held", attempts, delay_ms, reason, reply }, move: { kind: "ack" } };
    }
    case "delayed": {
      const { reason, delayMs } = outcome;
      return {
        ledger: { ...unchanged, state: "retrying", delay_ms: delayMs, reason },
        move: { kind: "delay", delayMs },
      };
    }
    case "uncertain": {
      const { reason } = outcome;
      // Cut off because its consumer stops: a peer does it at once.
      if (policy.isIdempotent && reason === STOPPED) return released(reason);
      if (policy.isIdempotent) return again("retrying", reason, { attempts: 1 });
      const isOver = counters.uncertain >= (policy.uncertainMax ?? UNCERTAIN_MAX);
      if (policy.uncertain === "resend") return again("uncertain", reason, { attempts: 1, uncertain: 1 }, { isOver });
      return { ledger: { ...unchanged, state: "held", attempts: 1, uncertain: 1, reason }, move: { kind: "ack" } };
    }
    case "released":
      return released(outcome.reason);
  }
};
