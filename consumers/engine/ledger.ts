import type { Database } from "../../database/connection.ts";
import { databaseFault } from "../../database/errors.ts";
import { type AdoptOptions, adoptEvents, type UnknownEvent } from "../../database/ledger/adopt.ts";
import {
  type ClaimedDelivery,
  type ClaimOptions,
  claimDeliveries,
  type WantedDelivery,
} from "../../database/ledger/claim.ts";
import { refuseDelivery, type UnreadableEvent } from "../../database/ledger/refuse.ts";
import { type Lease, renewLeases } from "../../database/ledger/renew.ts";
import { type Settlement, settleDeliveries } from "../../database/ledger/settle.ts";
import { wholeOrEach } from "../../database/whole-or-each.ts";
import { createBatcher } from "../../runtime/batcher.ts";

/** One group's deliveries in Postgres, as its consumer uses them. Every call is batched. */
export interface Ledger {
  /** Claims the deliveries of events; one answer per event id, none for an event of which the group has no delivery. */
  claim(wanted: readonly WantedDelivery[]): Promise<Map<string, ClaimedDelivery>>;
  /** Adds events and deliveries that are missing, and claims them; no answer for an event that Postgres refuses. */
  adopt(events: readonly UnknownEvent[]): Promise<Map<string, ClaimedDelivery>>;
  /** Renews leases; returns the event ids that are still ours. */
  renew(leases: readonly Lease[]): Promise<Set<string>>;
  /** Records one outcome, in a batch with others. False if the delivery is no longer ours. */
  settle(settlement: Settlement): Promise<boolean>;
  /** Closes the delivery of an event that the group cannot read or does not bind to: `dead`. False if log and ledger do not have it so. */
  refuse(event: UnreadableEvent, reason: string): Promise<boolean>;
}

export type LedgerOptions = ClaimOptions & AdoptOptions;

export const isRefused = (error: unknown): boolean => databaseFault(error).kind === "bad-data";

/** A refused event has no answer: its entry is dead-lettered. */
const adoptAll = async (
  db: Database,
  events: readonly UnknownEvent[],
  options: LedgerOptions,
): Promise<Map<string, ClaimedDelivery>> => {
  const answers = await wholeOrEach<UnknownEvent, ClaimedDelivery | undefined>(events, {
    run: async (rows) => {
      const claimed = await adoptEvents(db, rows, options);
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

/** Without what a text of Postgres cannot hold: U+0000, and half of a surrogate pair. */
const storable = (text: string | null): string | null => text?.replaceAll("\0", "").toWellFormed() ?? null;

/** A settlement that Postgres refuses is written without reply and receipt. */
const settleAll = (
  db: Database,
  batch: readonly Settlement[],
  owner: { readonly group: string; readonly consumer: string },
): Promise<readonly boolean[]> =>
  wholeOrEach<Settlement, boolean>(batch, {
    run: (rows) => settleDeliveries(db, rows, owner),
    mayBeOneRows: isRefused,
    failedAlone: async (row, error) => {
      if (!isRefused(error)) throw error;
      const [isApplied = false] = await settleDeliveries(
        db,
        [{ ...row, reason: storable(row.reason), receipt: null, reply: null }],
        owner,
      );
      return isApplied;
    },
  });

/** What Postgres cannot take is not in the log. */
const refuse = async (...question: Parameters<typeof refuseDelivery>): Promise<boolean> => {
  try {
    return await refuseDelivery(...question);
  } catch (error) {
    if (!isRefused(error)) throw error;
    return false;
  }
};

const MAX_BATCH = 256;
const MAX_IN_FLIGHT = 2;

export const createLedger = (db: Database, options: LedgerOptions): Ledger => {
  const settlements = createBatcher<Settlement, boolean>({
    maxBatch: MAX_BATCH,
    maxInFlight: MAX_IN_FLIGHT,
    run: (batch) => settleAll(db, batch, options),
  });
  return {
    claim: (wanted) => claimDeliveries(db, wanted, options),
    adopt: (events) => adoptAll(db, events, options),
    renew: (leases) => renewLeases(db, options.group, leases, options.leaseMs),
    settle: (settlement) => settlements.add(settlement),
    refuse: (event, reason) => refuse(db, event, { ...options, reason }),
  };
};
