import type { TakenDelivery } from "../../database/ledger/claim.ts";
import type { Outcome } from "./handler.ts";

/** Deliveries without an outcome: the one after these is a dead letter. */
export const POISON_AFTER = 3;

/**
 * The outcome of a claim that needs no attempt; undefined: it is to be attempted. Pure.
 *
 * | what is known                                                     | outcome            |
 * | ----------------------------------------------------------------- | ------------------ |
 * | the note says that it was done before the ledger could be written | done               |
 * | it is too old                                                     | rejected `expired` |
 * | the consumers of its last three deliveries died                   | rejected `poison`  |
 *
 * `deliveries` counts replies that were lost, too; each consumer that really had the delivery raised its fence.
 */
export const verdictBefore = (
  claim: Pick<TakenDelivery, "isExpired" | "fence">,
  { deliveries, isNoted }: { readonly deliveries: number; readonly isNoted: boolean },
): Outcome | undefined => {
  if (isNoted) return { kind: "done", reply: "noted before the ledger could be written" };
  if (claim.isExpired) return { kind: "rejected", reason: "expired" };
  if (Math.min(deliveries, claim.fence) > POISON_AFTER) return { kind: "rejected", reason: "poison" };
  return undefined;
};
