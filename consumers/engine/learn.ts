import type { TakenDelivery } from "../../database/ledger/claim.ts";
import type { Breaker, Concerned } from "./breaker.ts";
import type { Outcome } from "./handler.ts";
import type { Parties } from "./parties.ts";

export interface LearnedBy {
  readonly breaker: Breaker;
  readonly parties: Parties;
  /** How long a piece is held that was attempted so often, in ms. */
  readonly holdMs: (attempts: number) => number;
}

/** The attempt that had the outcome. */
export interface Attempted extends Concerned {
  /** Before the attempt. */
  readonly claim: Pick<TakenDelivery, "attempts" | "systemFailures" | "lastReason" | "unchangedMs">;
  /** Monotonic, ms. */
  readonly startedAt: number;
  /** When the system was asked: monotonic, ms. */
  readonly askedAt: number;
  /** `acceptedSince` of the breaker when it began. */
  readonly acceptedSince: number;
  /** Started while the breaker was not closed. */
  readonly isProbe: boolean;
}

/** Reason of what is declined while everything is. */
const ACCOUNT_REFUSED = "account_refused";
/** A piece that is refused so often, and nothing else accepted since the first time, is not asked for again. */
const LOOKS = 4;
/** So often a party that defers everything uses up no attempt of a piece: for an hour and a half, with delays of up to five minutes. */
const DEFERRED_FREELY = 20;
/** So often a piece that is told when to come back has done no more than was asked of it: for 20 minutes, where it is told five. */
const TOLD_FREELY = 4;
/** Reason of what is held because its party refuses everything. */
export const PARTY_REFUSES = "party_refuses";

type Of<Kind extends Outcome["kind"]> = Extract<Outcome, { kind: Kind }>;

const withReply = ({ reply }: { readonly reply?: string }) => (reply === undefined ? {} : { reply });

/** Is not the piece's fault, and not known to end: it comes back by itself, more and more rarely. */
const heldFor = (
  reason: string,
  outcome: Of<"rejected">,
  { attempts }: Attempted["claim"],
  { holdMs }: LearnedBy,
): Outcome => ({ kind: "held", reason, ...withReply(outcome), forMs: holdMs(attempts) });

/** What nobody knows yet: whether the refusal is the piece's own, since nothing else was accepted after the first time. */
const unknownRefusal = (outcome: Of<"rejected">, claim: Attempted["claim"], learned: LearnedBy): Outcome => {
  if (claim.systemFailures + 1 < LOOKS) return { kind: "unavailable", reason: outcome.reason, ...withReply(outcome) };
  // Others in a row were declined as well: it may be everybody's.
  return learned.breaker.decliningParties > 1 ? heldFor(ACCOUNT_REFUSED, outcome, claim, learned) : outcome;
};

/**
 * A permanent refusal by a party is the piece's only if neither the system declines everything nor the party refuses everything,
 * which is known after five in a row. The first ones of such a row must not be dead-lettered either. So a piece that is refused
 * for the first time waits, and is looked at once more: it is at fault if work that began after its first refusal was accepted before
 * that look. What is accepted during the look may tell that a refusal of everything has just ended.
 *
 * | refused | accepted since the first time | outcome                                                          |
 * | ------- | ----------------------------- | ---------------------------------------------------------------- |
 * | once    |                               | unavailable: it waits                                            |
 * | again   | yes                           | rejected                                                         |
 * | again   | no                            | unavailable; at the fourth look rejected, or held if pieces of   |
 * |         |                               | other parties are refused as well                                |
 */
const refusedBy = (party: string, outcome: Of<"rejected">, attempted: Attempted, learned: LearnedBy): Outcome => {
  const { breaker, parties } = learned;
  const { eventId, claim, startedAt, askedAt, acceptedSince } = attempted;
  const { reason, alike = [] } = outcome;
  breaker.declined({ eventId, party, askedAt, reason, words: outcome.reply });
  // Not the party's: it would still wait by itself, for minutes, when everybody is accepted again.
  if (breaker.isDeclining) return { kind: "unavailable", reason: ACCOUNT_REFUSED, ...withReply(outcome), party };
  parties.refused(party, eventId, reason, outcome.reply);
  if (parties.refuses(party)) return heldFor(PARTY_REFUSES, outcome, claim, learned);
  const isFirst = ![reason, ...alike].some((each) => each === claim.lastReason);
  if (isFirst) return { kind: "unavailable", reason, ...withReply(outcome), party };
  if (acceptedSince > startedAt - claim.unchangedMs) return outcome;
  return unknownRefusal(outcome, claim, learned);
};

/**
 * A refusal for now uses up an attempt, unless everything is declined, by the system or by the party, or was lately: then it is not about
 * this piece. Nor does it if the piece is told when to come back, as by greylisting. Of neither there is no end: what a party has deferred for
 * long uses up attempts, and comes back more and more rarely.
 */
const deferredBy = (party: string, outcome: Of<"transient">, attempted: Attempted, learned: LearnedBy): Outcome => {
  const { breaker, parties } = learned;
  const { eventId, claim, askedAt } = attempted;
  const { reason, minDelayMs } = outcome;
  breaker.declined({ eventId, party, askedAt, reason, words: outcome.reply });
  const isTold = minDelayMs !== undefined;
  // Each piece has to ask once before it is accepted.
  if (!isTold) parties.deferred(party, reason, outcome.reply);
  const isPartys = parties.defersLately(party, eventId) && claim.systemFailures < DEFERRED_FREELY;
  const isAsAsked = isTold && claim.systemFailures < TOLD_FREELY;
  if (!breaker.hasDeclinedLately && !isPartys && !isAsAsked) return outcome;
  return { kind: "unavailable", reason, ...withReply(outcome), party, ...(isTold ? { minDelayMs } : {}) };
};

const unavailable = (outcome: Of<"unavailable">, attempted: Attempted, { breaker, parties }: LearnedBy): Outcome => {
  const { party, reason } = outcome;
  if (party !== undefined) {
    const { eventId, askedAt } = attempted;
    breaker.declined({ eventId, party, askedAt, reason, words: outcome.reply });
    // That there was no room for the piece says nothing of others.
    if (outcome.hasNoRoom !== true) parties.deferred(party, reason, outcome.reply);
    return outcome;
  }
  breaker.failed({ reason, words: outcome.reply, isHarmful: outcome.isHarmful }, attempted);
  // Except the probe: the next one must be another piece.
  const isReleased = breaker.state === "open" && !attempted.isProbe;
  return isReleased ? { kind: "released", reason: "breaker_open" } : outcome;
};

/**
 * Reports an outcome to the breaker and the parties, and corrects it by what they know: what is not the piece's fault costs it
 * neither an attempt nor its life.
 */
export const learnFrom = (outcome: Outcome, attempted: Attempted, learned: LearnedBy): Outcome => {
  const { breaker, parties } = learned;
  const answered = (party: string | undefined) => {
    breaker.succeeded();
    if (party !== undefined) parties.succeeded(party);
  };
  switch (outcome.kind) {
    case "done":
      if (outcome.isUnasked === true) return outcome;
      breaker.accepted(attempted.startedAt);
      if (attempted.party !== undefined) parties.succeeded(attempted.party);
      return outcome;
    case "transient":
      if (outcome.party !== undefined) return deferredBy(outcome.party, outcome, attempted, learned);
      breaker.succeeded();
      return outcome;
    case "unavailable":
      return unavailable(outcome, attempted, learned);
    case "rejected":
      if (outcome.party !== undefined) return refusedBy(outcome.party, outcome, attempted, learned);
      // Without a reply, no other system was asked.
      if (outcome.reply !== undefined) answered(attempted.party);
      return outcome;
    case "uncertain":
    case "released":
    case "held":
    case "delayed":
      return outcome;
  }
};
