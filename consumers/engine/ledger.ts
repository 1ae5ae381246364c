import { type ClaimedEmail, type ClaimOptions, claimEmails, type WantedEmail } from "../../database/claim-emails.ts";
import type { Database } from "../../database/connection.ts";
import { databaseFault } from "../../database/errors.ts";
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

const wantedOf = (event: StreamEvent): WantedEmail => ({
  event_id: event.id,
  user_id: event.data.user_id,
  locale: event.data.locale,
  traceparent: event.traceparent,
  tracestate: event.tracestate ?? null,
});

const isRefused = (error: unknown): boolean => databaseFault(error).kind === "bad-data";

/** A value that Postgres refuses fails the whole statement: each row then goes alone, and only its own is left out. */
const claimWhole = async (
  db: Database,
  wanted: readonly WantedEmail[],
  options: ClaimOptions,
): Promise<Map<string, ClaimedEmail>> => {
  try {
    return await claimEmails(db, wanted, options);
  } catch (error) {
    if (!isRefused(error) || wanted.length <= 1) throw error;
    const claimed = new Map<string, ClaimedEmail>();
    for (const one of wanted) {
      const answer = await claimEmails(db, [one], options).catch((own: unknown) => {
        if (!isRefused(own)) throw own;
        return new Map<string, ClaimedEmail>();
      });
      for (const [eventId, mail] of answer) claimed.set(eventId, mail);
    }
    return claimed;
  }
};

/** The same for outcomes: what cannot be written is written without the server's words. */
const settleWhole = async (db: Database, batch: readonly Settlement[]): Promise<readonly boolean[]> => {
  try {
    return await settleEmails(db, batch);
  } catch (error) {
    if (!isRefused(error)) throw error;
    const applied: boolean[] = [];
    for (const one of batch) {
      const alone = await settleEmails(db, [one]).catch((own: unknown) => {
        if (!isRefused(own)) throw own;
        return settleEmails(db, [{ ...one, server_reply: null, message_id: null }]);
      });
      applied.push(...alone);
    }
    return applied;
  }
};

const MAX_BATCH = 256;
const MAX_IN_FLIGHT = 2;

export const createLedger = (db: Database, options: ClaimOptions): Ledger => {
  const settlements = createBatcher<Settlement, boolean>({
    maxBatch: MAX_BATCH,
    maxInFlight: MAX_IN_FLIGHT,
    run: (batch) => settleWhole(db, batch),
  });
  return {
    claim: (events) => claimWhole(db, events.map(wantedOf), options),
    renew: (leases) => renewLeases(db, leases, options.leaseMs),
    settle: (settlement) => settlements.add(settlement),
  };
};
