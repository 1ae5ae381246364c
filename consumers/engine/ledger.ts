import { type ClaimedEmail, type ClaimOptions, claimEmails, type WantedEmail } from "../../database/claim-emails.ts";
import type { Database } from "../../database/connection.ts";
import { databaseFault } from "../../database/errors.ts";
import { type Lease, renewLeases } from "../../database/renew-leases.ts";
import { type Settlement, settleEmails } from "../../database/settle-emails.ts";
import { wholeOrEach } from "../../database/whole-or-each.ts";
import { createBatcher } from "../../runtime/batcher.ts";
import type { StreamEvent } from "../../stream/event.ts";

/** The truth about the mails of one group, as its consumer uses it. All of it is batched: a mail costs a share of a trip. */
export interface Ledger {
  /** Claims the mails of distinct events; one answer per event id, none for an event that Postgres refuses. */
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

/** A refused event has no answer: whoever asked buries its entry. */
const claimAll = async (
  db: Database,
  wanted: readonly WantedEmail[],
  options: ClaimOptions,
): Promise<Map<string, ClaimedEmail>> => {
  const answers = await wholeOrEach<WantedEmail, ClaimedEmail | undefined>(wanted, {
    run: async (rows) => {
      const claimed = await claimEmails(db, rows, options);
      return rows.map((row) => claimed.get(row.event_id));
    },
    mayBeOneRows: isRefused,
    failedAlone: (_, error) => {
      if (!isRefused(error)) throw error;
      return undefined;
    },
  });
  return new Map(answers.flatMap((answer) => (answer === undefined ? [] : [[answer.eventId, answer]])));
};

/** What cannot be written is written without the server's words. */
const settleAll = (db: Database, batch: readonly Settlement[]): Promise<readonly boolean[]> =>
  wholeOrEach<Settlement, boolean>(batch, {
    run: (rows) => settleEmails(db, rows),
    mayBeOneRows: isRefused,
    failedAlone: async (row, error) => {
      if (!isRefused(error)) throw error;
      const [isApplied = false] = await settleEmails(db, [{ ...row, server_reply: null, message_id: null }]);
      return isApplied;
    },
  });

const MAX_BATCH = 256;
const MAX_IN_FLIGHT = 2;

export const createLedger = (db: Database, options: ClaimOptions): Ledger => {
  const settlements = createBatcher<Settlement, boolean>({
    maxBatch: MAX_BATCH,
    maxInFlight: MAX_IN_FLIGHT,
    run: (batch) => settleAll(db, batch),
  });
  return {
    claim: (events) => claimAll(db, events.map(wantedOf), options),
    renew: (leases) => renewLeases(db, leases, options.leaseMs),
    settle: (settlement) => settlements.add(settlement),
  };
};
