import type { TakenDelivery } from "../../database/ledger/claim.ts";
import type { Outcome } from "./handler.ts";

/** Deliveries without an outcome after which the next one is dead-lettered. */
export const POISON_AFTER = 3;

/**
 * The outcome of a claim that needs no attempt; undefined: attempt it. Pure.
 *
 * | condition                                                         | outcome            |
 * | ----------------------------------------------------------------- | ------------------ |
 * | a note says that the work is done                                 | done               |
 * | it is too old                                                     | rejected `expired` |
 * | the consumers of its last three deliveries died                   | rejected `poison`  |
 *
 * Neither count is enough: `deliveries` also counts replies that were lost, and entries that a peer took from a consumer too
 * slow to say that it lives; `unanswered` also counts claims whose answer was lost.
 */
export const verdictBefore = (
  claim: Pick<TakenDelivery, "isExpired" | "unanswered">,
  { deliveries, isNoted }: { readonly deliveries: number; readonly isNoted: boolean },
): Outcome | undefined => {
  if (isNoted) return { kind: "done", reply: "noted before the ledger could be written" };
  if (claim.isExpired) return { kind: "rejected", reason: "expired" };
  if (Math.min(deliveries, claim.unanswered) > POISON_AFTER) return { kind: "rejected", reason: "poison" };
  return undefined;
};
