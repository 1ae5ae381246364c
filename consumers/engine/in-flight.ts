import type { TakenDelivery } from "../../database/ledger/claim.ts";
import type { Entry } from "../../stream/entries.ts";
import type { StreamEvent } from "../../stream/events/envelope.ts";
import type { Outcome } from "./handler.ts";

/** One claimed entry, from its claim until it is settled. */
export interface RunningAttempt {
  readonly entry: Entry;
  readonly event: StreamEvent;
  readonly claim: TakenDelivery;
  /** Aborted when the attempt must end before its commit point: asked to stop, or the lease is lost. */
  readonly giveUp: AbortController;
  /** Started while the breaker was not closed. */
  readonly isProbe: boolean;
  /** Resolved when the drain time is over and the attempt has not ended. */
  readonly cutOff: PromiseWithResolvers<Outcome>;
  /** Monotonic, ms: our lease lasts at least until then, measured from before the claim was sent. */
  leaseUntil: number;
  /** Past the commit point: the effect takes place, or has taken place. */
  isCommitted: boolean;
  /** Its token of the budget is used: the work has begun. */
  isPaidFor: boolean;
  /** The ledger has given the delivery to another claim. */
  isLost: boolean;
}

/**
 * The entries in flight in one consumer of one group: read and not settled yet, at most its concurrency. It bounds the
 * reader, and lists what the heartbeat renews.
 */
export interface InFlight {
  /** How many more entries may be read now. */
  room(): number;
  /** Resolves when there is room, or the signal is aborted. */
  untilRoom(signal: AbortSignal): Promise<void>;
  /** Resolves when nothing is in flight, or after `timeoutMs`. True if empty. */
  untilEmpty(timeoutMs: number): Promise<boolean>;
  holds(entry: Entry): boolean;
  take(entry: Entry): void;
  /** The entry's delivery is claimed; the heartbeat renews its lease from now on. */
  claimed(attempt: RunningAttempt): void;
  release(entry: Entry): void;
  entries(): readonly Entry[];
  attempts(): readonly RunningAttempt[];
  /** How many of the entries may still begin their work, each with a token of the budget. */
  unpaid(): number;
}

const keyOf = (entry: Entry): string => `${entry.stream} ${entry.id}`;

export const createInFlight = (concurrency: number): InFlight => {
  const held = new Map<string, { readonly entry: Entry; attempt?: RunningAttempt }>();
  const waiters = new Set<() => void>();

  const changed = () => {
    for (const wake of [...waiters]) wake();
  };

  const until = (condition: () => boolean, giveUp: (end: () => void) => () => void): Promise<void> =>
    new Promise((resolve) => {
      if (condition()) return resolve();
      const end = () => {
        waiters.delete(check);
        cleanUp();
        resolve();
      };
      const check = () => {
        if (condition()) end();
      };
      waiters.add(check);
      const cleanUp = giveUp(end);
    });

  const room = () => Math.max(0, concurrency - held.size);

  return {
    room,
    untilRoom: (signal) =>
      until(
        () => room() > 0 || signal.aborted,
        (end) => {
          signal.addEventListener("abort", end);
          return () => signal.removeEventListener("abort", end);
        },
      ),
    untilEmpty: async (timeoutMs) => {
      await until(
        () => held.size === 0,
        (end) => {
          const timer = setTimeout(end, timeoutMs);
          return () => clearTimeout(timer);
        },
      );
      return held.size === 0;
    },
    holds: (entry) => held.has(keyOf(entry)),
    take: (entry) => {
      held.set(keyOf(entry), { entry });
    },
    claimed: (attempt) => {
      const holding = held.get(keyOf(attempt.entry));
      if (holding !== undefined) holding.attempt = attempt;
    },
    release: (entry) => {
      held.delete(keyOf(entry));
      changed();
    },
    entries: () => [...held.values()].map((holding) => holding.entry),
    attempts: () => [...held.values()].flatMap((holding) => holding.attempt ?? []),
    unpaid: () => [...held.values()].filter(({ attempt }) => attempt?.isPaidFor !== true).length,
  };
};
