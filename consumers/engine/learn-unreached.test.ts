import { describe, expect, test } from "bun:test";
import { decide, type RetryPolicy } from "./decide.ts";
import type { Outcome } from "./handler.ts";
import { aLearner, deferredBy, each, refusedBy, sent } from "./learner-for-tests.ts";

describe("after so many connections that were refused", () => {
  const policy: RetryPolicy = { retryMax: 10, retryDelayMs: 30_000, uncertain: "resend", isIdempotent: false };
  const unreachable: Outcome = { kind: "unavailable", reason: "connection_refused", isUnreached: true };
  const told: Outcome = { ...deferredBy("a.example"), kind: "transient", reason: "greylisted", minDelayMs: 300_000 };

  /** What a piece has used when each outcome is settled, and the delays. */
  const aPiece = (learn: ReturnType<typeof aLearner>["learn"]) => {
    const counters = { attempts: 0, systemFailures: 0, uncertain: 0, unreached: 0 };
    let lastReason: string | null = null;
    return {
      counters,
      ends: (outcome: Outcome, unchangedMs = 0): Outcome => {
        const learned = learn(outcome, { ...counters, lastReason, unchangedMs }, { eventId: "the piece" });
        const { ledger, move } = decide(learned, counters, policy, () => 1);
        counters.attempts += ledger.attempts;
        counters.systemFailures += ledger.system_failures;
        counters.unreached = move.kind === "delay" && move.isUnreached === true ? counters.unreached + 1 : 0;
        lastReason = ledger.reason;
        return learned;
      },
    };
  };

  test.each([4, 20])("%d: told when to come back it uses up no attempt four times, as without them", (times) => {
    const { learn } = aLearner();
    const piece = aPiece(learn);
    each(times, () => {
      learn(sent);
      piece.ends(unreachable);
    });
    expect(piece.counters).toEqual({ attempts: 0, systemFailures: 0, uncertain: 0, unreached: times });
    each(4, () => {
      learn(sent);
      piece.ends(told);
    });
    expect(piece.counters).toMatchObject({ attempts: 0, systemFailures: 4 });
    learn(sent);
    piece.ends(told);
    expect(piece.counters.attempts).toBe(1);
  });

  test.each([4, 20])("%d: a party that defers everything uses up no attempt of it twenty times", (times) => {
    const { learn } = aLearner();
    const piece = aPiece(learn);
    each(times, () => {
      learn(sent);
      piece.ends(unreachable);
    });
    each(10, () => learn(deferredBy("a.example")));
    each(20, () => {
      learn(sent);
      each(5, () => learn(deferredBy("a.example")));
      piece.ends(deferredBy("a.example"));
    });
    expect(piece.counters).toMatchObject({ attempts: 0, systemFailures: 20 });
  });

  test.each([4, 20])("%d: a refusal of which nobody knows is looked at four times", (times) => {
    const { learn, pass } = aLearner();
    const piece = aPiece(learn);
    each(times, () => {
      learn(sent);
      piece.ends(unreachable);
    });
    pass(100_000);
    const looks = each(4, (n) => piece.ends(refusedBy("a.example"), n === 0 ? 0 : 60_000).kind);
    expect(looks).toEqual(["unavailable", "unavailable", "unavailable", "rejected"]);
  });
});
