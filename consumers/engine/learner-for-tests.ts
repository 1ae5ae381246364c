import { Breaker } from "./breaker.ts";
import type { Outcome } from "./handler.ts";
import { type Attempted, learnFrom } from "./learn.ts";
import { Parties } from "./parties.ts";

export const sent: Outcome = { kind: "done" };
export const refusedBy = (party: string): Outcome => ({
  kind: "rejected",
  reason: "policy",
  reply: "550 5.7.1 no",
  party,
});
export const deferredBy = (party: string): Outcome => ({
  kind: "transient",
  reason: "try_later",
  reply: "450 later",
  party,
});
export const domain = (n: number) => `domain-${n}.example`;

/** Of a piece that was refused before, `ago` ms ago. */
export const refusedBefore = (ago: number, systemFailures = 1) => ({
  lastReason: "policy",
  unchangedMs: ago,
  systemFailures,
});

/** Learns from outcomes, each of another event; returns what became of each. */
export const aLearner = () => {
  let nowMs = 0;
  const clock = { now: () => nowMs, random: () => 1 };
  const breaker = new Breaker({ concurrency: 20, ...clock, onChange: () => {} });
  const parties = new Parties({ ...clock, onChange: () => {} });
  let events = 0;
  const learn = (
    outcome: Outcome,
    before: Partial<Attempted["claim"]> = {},
    under: Partial<Pick<Attempted, "eventId" | "startedAt" | "acceptedSince">> = {},
  ): Outcome => {
    events += 1;
    const party = "party" in outcome ? outcome.party : domain(0);
    const claim = { attempts: 0, systemFailures: 0, lastReason: null, unchangedMs: 0, ...before };
    const { acceptedSince } = breaker;
    const attempted = {
      eventId: `event ${events}`,
      party,
      claim,
      startedAt: nowMs,
      askedAt: nowMs,
      acceptedSince,
      isProbe: false,
    };
    const known = { breaker, parties, holdMs: (attempts: number) => 1_000 * 2 ** attempts };
    return learnFrom(outcome, { ...attempted, ...under }, known);
  };
  return { breaker, parties, learn, pass: (ms: number) => (nowMs += ms) };
};

export const kindsOf = (outcomes: readonly Outcome[]): Readonly<Record<string, number>> => {
  const counts: Record<string, number> = {};
  for (const { kind } of outcomes) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
};
export const each = <Result>(count: number, make: (n: number) => Result): Result[] =>
  Array.from({ length: count }, (_, n) => make(n));
