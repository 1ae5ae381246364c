import { type ClaimedEmail, type ClaimOptions, claimEmails } from "../../database/claim-emails.ts";
import type { Database } from "../../database/connection.ts";
import { type Lease, renewLeases } from "../../database/renew-leases.ts";
import { type Settlement, settleEmails } from "../../database/settle-emails.ts";
import { createBatcher } from "../../runtime/batcher.ts";
import type { StreamEvent } from "../../stream/event.ts";

/** The truth about the mails of one group, as its consumer uses it. All of it is batched: a mail costs a share of a trip. */
export interface Ledger {
  /** Claims the mails of distinct events; one answer per event id. */
  claim(events: readonly StreamEvent[]): Promise<Map<string, ClaimedEmail>>;
  /** Renews leases; returns the event ids that are still ours. */
  renew(leases: readonly Lease[]): Promise<Set<string>>;
  /** Writes one outcome, together with those that come at the same time. False if the mail is no longer ours. */
  settle(settlement: Settlement): Promise<boolean>;
}

const MAX_BATCH = 256;
const MAX_IN_FLIGHT = 2;

export const createLedger = (db: Database, options: ClaimOptions): Ledger => {
  const settlements = createBatcher<Settlement, boolean>({
    maxBatch: MAX_BATCH,
    maxInFlight: MAX_IN_FLIGHT,
    run: (batch) => settleEmails(db, batch),
  });
  return {
    claim: (events) =>
      claimEmails(
        db,
        events.map((event) => ({
          event_id: event.id,
          user_id: event.data.user_id,
          locale: event.data.locale,
          traceparent: event.traceparent,
          tracestate: event.tracestate ?? null,
        })),
        options,
      ),
    renew: (leases) => renewLeases(db, leases, options.leaseMs),
    settle: (settlement) => settlements.add(settlement),
  };
};
