import type { CallWatch } from "../../runtime/call-watch.ts";
import type { Ledger } from "./ledger.ts";

/** A ledger whose calls are watched by name, but those that nothing waits for. `beforeSettling`: what a settlement waits for. */
export const watchLedger = (asked: Ledger, watch: CallWatch, beforeSettling: () => Promise<void>): Ledger => ({
  claim: watch.watched("claiming in the ledger", asked.claim),
  claimDoubtful: watch.watched("claiming in the ledger", asked.claimDoubtful),
  unclaim: watch.watched("undoing claims in the ledger", asked.unclaim),
  logged: asked.logged,
  adopt: watch.watched("adopting in the ledger", asked.adopt),
  renew: watch.watched("renewing leases in the ledger", asked.renew),
  settle: watch.watched("settling in the ledger", async (settlement) => {
    await beforeSettling();
    return asked.settle(settlement);
  }),
  hasten: asked.hasten,
  requeued: watch.watched("passing over entries in the ledger", asked.requeued),
  refuse: watch.watched("refusing in the ledger", asked.refuse),
});
