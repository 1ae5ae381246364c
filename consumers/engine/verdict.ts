import type { TakenDelivery } from "../../database/ledger/claim.ts";
import type { Outcome } from "./handler.ts";
import { POISON_AFTER } from "./suspects.ts";

/**
 * The outcome of a claim that needs no attempt; undefined: attempt it. Pure.
 *
 * | condition                                                         | outcome            |
 * | ----------------------------------------------------------------- | ------------------ |
 * | a note says that the work is done                                 | done               |
 * | it is too old                                                     | rejected `expired` |
 * | two consumers died while a suspect's work alone was under way     | rejected `poison`  |
 *
 * The ledger must have as many claims without an outcome, this one aside: a count in Redis may be from before the last one.
 */
export const verdictBefore = (
  claim: Pick<TakenDelivery, "isExpired" | "unanswered">,
  { deathsAlone, isNoted }: { readonly deathsAlone: number; readonly isNoted: boolean },
): Outcome | undefined => {
  if (isNoted) return { kind: "done", reply: "noted before the ledger could be written" };
  if (claim.isExpired) return { kind: "rejected", reason: "expired" };
  if (Math.min(deathsAlone, claim.unanswered - 1) >= POISON_AFTER) return { kind: "rejected", reason: "poison" };
  return undefined;
};
