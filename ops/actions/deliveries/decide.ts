import { DISCARDED } from "../../../database/ledger/discard.ts";
import type { DeliveryFacts } from "../../../database/ledger/facts.ts";
import { asksToConfirm, type Group } from "../../../stream/groups.ts";

/** What an operator may do with deliveries. */
export const DELIVERY_ACTIONS = ["retry", "retry-now", "hold", "release", "discard"] as const;
export type DeliveryAction = (typeof DELIVERY_ACTIONS)[number];

/** What becomes of a delivery that the action changes. */
export type ChangedOutcome =
  /** It is queued, and its work is done. */
  | "queued"
  /** It is queued, and its group cancels it: the user was erased. */
  | "cancelled_no_user"
  /** It is queued, and its group cancels it: the address is confirmed, and the mail only asks for that. */
  | "cancelled_confirmed"
  /** It is queued, and its group suppresses it. */
  | "suppressed"
  /** It is queued, and dies again unless the consumers have learned to read it. */
  | "unreadable"
  | "held"
  | "discarded";

/** Why a delivery stays as it is. */
export type KeptOutcome =
  /** Queued, it would end without a mail. */
  | "stays_suppressed"
  | "stays_discarded"
  | "stays_done"
  | "stays_cancelled"
  | "stays_dead"
  | "stays_held"
  | "stays_in_flight"
  | "stays_queued"
  | "stays_retrying"
  /** Somebody changed it between the look and the action. */
  | "changed_meanwhile";

const KEPT = /^stays_|^changed_meanwhile$/;

/** How many of these outcomes are changes. */
export const countChanged = (outcomes: Readonly<Record<string, number>>): number =>
  Object.entries(outcomes).reduce((sum, [outcome, count]) => (KEPT.test(outcome) ? sum : sum + count), 0);

/** What an action does to one delivery. */
export type Decision =
  | { readonly acts: true; readonly outcome: ChangedOutcome }
  | { readonly acts: false; readonly outcome: KeptOutcome };

export type DecisionFacts = Omit<DeliveryFacts, "event_id">;

export interface DecisionOptions {
  /** Whether what an operator has discarded is meant, too: it was named, or its reason was. */
  readonly withDiscarded: boolean;
}

const UNREADABLE: ReadonlySet<string | null> = new Set(["malformed", "unknown_version"]);

const acts = (outcome: ChangedOutcome): Decision => ({ acts: true, outcome });
const keeps = (outcome: KeptOutcome): Decision => ({ acts: false, outcome });

/** Where a delivery stands that the action does not apply to. */
const standing = ({ state, reason }: DecisionFacts): Decision => {
  switch (state) {
    case "done":
      return keeps("stays_done");
    case "cancelled":
      return keeps("stays_cancelled");
    case "suppressed":
      return keeps("stays_suppressed");
    case "dead":
      return keeps(reason === DISCARDED ? "stays_discarded" : "stays_dead");
    case "held":
      return keeps("stays_held");
    case "active":
      return keeps("stays_in_flight");
    case "queued":
      return keeps("stays_queued");
    case "retrying":
    case "uncertain":
      return keeps("stays_retrying");
  }
};

/** What becomes of a delivery that is queued: what its group's look-up will find. In its order. */
const queuedIn = (group: Group, facts: DecisionFacts): Decision => {
  if (UNREADABLE.has(facts.reason)) return acts("unreadable");
  if (group.sendsMail !== true) return acts("queued");
  if (!facts.has_user) return acts("cancelled_no_user");
  if (facts.is_suppressed) return acts("suppressed");
  return acts(facts.is_verified && asksToConfirm(group, facts.type) ? "cancelled_confirmed" : "queued");
};

const retry = (group: Group, facts: DecisionFacts, { withDiscarded }: DecisionOptions): Decision => {
  const { state, reason } = facts;
  if (state !== "dead" && state !== "suppressed") return standing(facts);
  if (state === "dead" && reason === DISCARDED && !withDiscarded) return keeps("stays_discarded");
  const queued = queuedIn(group, facts);
  // Its letter would be gone, and nothing sent.
  return queued.outcome === "suppressed" ? keeps("stays_suppressed") : queued;
};

/**
 * What an action does to a delivery. Pure: the preview and the action both ask it, of the same facts.
 *
 * | action    | applies to                                    | then it is                     |
 * | --------- | --------------------------------------------- | ------------------------------ |
 * | retry     | dead, suppressed                              | queued with fresh counters     |
 * | retry-now | what waits for a retry or a first attempt     | due now, its counters kept     |
 * | hold      | queued, retrying, uncertain                   | held for an operator           |
 * | release   | held                                          | queued with fresh counters     |
 * | discard   | dead, held, queued, retrying, uncertain       | dead, `dropped_by_operator`    |
 */
export const decide = (
  action: DeliveryAction,
  group: Group,
  facts: DecisionFacts,
  options: DecisionOptions,
): Decision => {
  const { state, reason, is_early: isEarly } = facts;
  const isWaiting = state === "queued" || state === "retrying" || state === "uncertain";
  switch (action) {
    case "retry":
      return retry(group, facts, options);
    case "retry-now":
      return isWaiting && isEarly ? queuedIn(group, facts) : standing(facts);
    case "hold":
      return isWaiting ? acts("held") : standing(facts);
    case "release":
      return state === "held" ? queuedIn(group, facts) : standing(facts);
    case "discard":
      if (state === "dead" && reason === DISCARDED) return keeps("stays_discarded");
      return isWaiting || state === "dead" || state === "held" ? acts("discarded") : standing(facts);
  }
};
