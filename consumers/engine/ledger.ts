import type { Database } from "../../database/connection.ts";
import { databaseFault, isLocked, RowLocked, restOf } from "../../database/errors.ts";
import type { LoggedEvent } from "../../database/events.ts";
import { type AdoptOptions, adoptEvents, LOST_RACE_WAIT_MS, type UnknownEvent } from "../../database/ledger/adopt.ts";
import {
  type ClaimedDelivery,
  type ClaimOptions,
  claimDeliveries,
  type WantedDelivery,
  type WhenUncertain,
} from "../../database/ledger/claim.ts";
import { hastenDeclined } from "../../database/ledger/hasten-declined.ts";
import { refuseDeliveries, type UnreadableEvent } from "../../database/ledger/refuse.ts";
import { type Lease, type Renewal, renewLeases } from "../../database/ledger/renew.ts";
import { noteRequeued } from "../../database/ledger/requeued.ts";
import { type Settlement, type SettleResult, settleDeliveries } from "../../database/ledger/settle.ts";
import {
  findLoggedEvents,
  type UnbegunClaim,
  type UnclaimedDelivery,
  unclaimDeliveries,
} from "../../database/ledger/unclaim.ts";
import { wholeOrEach } from "../../database/whole-or-each.ts";
import { createBatcher } from "../../runtime/batcher.ts";

/** One group's deliveries in Postgres, as its consumer uses them. Every call is batched. */
export interface Ledger {
  /**
   * Claims the deliveries of events; one answer per event id, none for an event of which the group has no delivery. Repeated
   * under the same token, because the answer was lost, it is the same claim. If the policy is `hold`, what is uncertain is
   * `doubtful`: see `claimDoubtful`.
   */
  claim(wanted: readonly WantedDelivery[], token: string): Promise<Map<string, ClaimedDelivery>>;
  /** Claims doubtful deliveries: to do the work, or to hold it for an operator. */
  claimDoubtful(
    wanted: readonly WantedDelivery[],
    token: string,
    doubt: WhenUncertain,
  ): Promise<Map<string, ClaimedDelivery>>;
  /** Undoes claims under which nothing was begun, one of an event; one answer for each. */
  unclaim(claims: readonly UnbegunClaim[]): Promise<readonly UnclaimedDelivery[]>;
  /** The log's rows of events. */
  logged(eventIds: readonly string[]): Promise<readonly LoggedEvent[]>;
  /** Adds events and deliveries that are missing, and claims them; no answer for an event that Postgres refuses. */
  adopt(events: readonly UnknownEvent[], token: string): Promise<Map<string, ClaimedDelivery>>;
  /** Renews leases. */
  renew(leases: readonly Lease[]): Promise<Renewal>;
  /**
   * Records one outcome, in a batch with others. False if the delivery is no longer ours.
   *
   * @throws {RowLocked} somebody else has locked its row; to be repeated
   */
  settle(settlement: Settlement): Promise<boolean>;
  /** Notes that the entries of these events are put behind others, unattempted. */
  requeued(eventIds: readonly string[]): Promise<void>;
  /** Makes deliveries due now that wait for their next attempt. */
  hasten(eventIds: readonly string[]): Promise<void>;
  /**
   * Closes the delivery of an event that the group cannot read or does not bind to, in a batch with others: `dead`. False if log and ledger do not
   * have it so.
   *
   * @throws {RowLocked} somebody else has locked its row; to be repeated
   */
  refuse(event: UnreadableEvent, reason: string): Promise<boolean>;
}

export type LedgerOptions = Omit<ClaimOptions & AdoptOptions, "token" | "uncertain" | "wallClockMs"> & {
  readonly uncertain: WhenUncertain;
  readonly wallClock: () => Date;
};

export const isRefused = (error: unknown): boolean => databaseFault(error).kind === "bad-data";

/** A refused event has no answer: its entry is dead-lettered. One that somebody else is making waits. */
const adoptAll = async (
  db: Database,
  events: readonly UnknownEvent[],
  options: AdoptOptions,
): Promise<Map<string, ClaimedDelivery>> => {
  let isBegun = false;
  const answers = await wholeOrEach<UnknownEvent, ClaimedDelivery | undefined>(events, {
    run: async (rows) => {
      const adopt = () => adoptEvents(db, rows, options);
      const claimed = await (isBegun ? restOf(adopt) : adopt());
      isBegun = true;
      return rows.map((row) => claimed.get(row.event_id));
    },
    mayBeOneRows: (error) => isRefused(error) || isLocked(error),
    failedAlone: ({ event_id: eventId }, error) => {
      if (isLocked(error)) return { kind: "wait", eventId, delayMs: LOST_RACE_WAIT_MS };
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
): Promise<readonly SettleResult[]> =>
  wholeOrEach<Settlement, SettleResult>(batch, {
    run: (rows) => settleDeliveries(db, rows, owner),
    mayBeOneRows: isRefused,
    failedAlone: async (row, error) => {
      if (!isRefused(error)) throw error;
      const [result = "not-ours"] = await settleDeliveries(
        db,
        [{ ...row, reason: storable(row.reason), receipt: null, reply: null }],
        owner,
      );
      return result;
    },
  });

interface Refusal {
  readonly event: UnreadableEvent;
  readonly reason: string;
}

/** What Postgres cannot take is not in the log. */
const refuseAll = (
  db: Database,
  batch: readonly Refusal[],
  owner: { readonly group: string; readonly consumer: string },
): Promise<readonly (boolean | "locked")[]> =>
  wholeOrEach<Refusal, boolean | "locked">(batch, {
    run: async (rows) => {
      const byReason = Map.groupBy(rows, ({ reason }) => reason);
      const closed = new Set<string>();
      for (const [reason, refusals] of byReason) {
        const events = refusals.map(({ event }) => event);
        for (const id of await refuseDeliveries(db, events, { ...owner, reason })) closed.add(id);
      }
      return rows.map(({ event }) => closed.has(event.event_id.toLowerCase()));
    },
    mayBeOneRows: (error) => isRefused(error) || isLocked(error),
    failedAlone: (_, error) => {
      if (isLocked(error)) return "locked";
      if (!isRefused(error)) throw error;
      return false;
    },
  });

const MAX_BATCH = 256;
const MAX_IN_FLIGHT = 2;

export const createLedger = (db: Database, options: LedgerOptions): Ledger => {
  const settlements = createBatcher<Settlement, SettleResult>({
    maxBatch: MAX_BATCH,
    maxInFlight: MAX_IN_FLIGHT,
    run: (batch) => settleAll(db, batch, options),
  });
  const refusals = createBatcher<Refusal, boolean | "locked">({
    maxBatch: MAX_BATCH,
    maxInFlight: MAX_IN_FLIGHT,
    run: (batch) => refuseAll(db, batch, options),
  });
  const uncertain = options.uncertain === "hold" ? "ask" : options.uncertain;
  const claim = (wanted: readonly WantedDelivery[], claimed: Pick<ClaimOptions, "uncertain" | "token">) =>
    claimDeliveries(db, wanted, { ...options, wallClockMs: options.wallClock().getTime(), ...claimed });
  return {
    claim: (wanted, token) => claim(wanted, { uncertain, token }),
    claimDoubtful: (wanted, token, doubt) => claim(wanted, { uncertain: doubt, token }),
    unclaim: (claims) => unclaimDeliveries(db, claims, options),
    logged: (eventIds) => findLoggedEvents(db, eventIds),
    adopt: (events, token) => adoptAll(db, events, { ...options, token }),
    renew: (leases) => renewLeases(db, options.group, leases, options.leaseMs),
    async settle(settlement) {
      const result = await settlements.add(settlement);
      if (result === "locked") throw new RowLocked();
      return result === "applied";
    },
    requeued: (eventIds) => noteRequeued(db, options.group, eventIds),
    hasten: (eventIds) => hastenDeclined(db, options.group, eventIds),
    async refuse(event, reason) {
      const isClosed = await refusals.add({ event, reason });
      if (isClosed === "locked") throw new RowLocked();
      return isClosed;
    },
  };
};
