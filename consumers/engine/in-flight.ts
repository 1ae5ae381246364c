import type { TakenDelivery } from "../../database/ledger/claim.ts";
import type { Entry } from "../../stream/entries.ts";
import type { StreamEvent } from "../../stream/events/envelope.ts";
import type { Outcome } from "./handler.ts";

/** One claimed entry, from its claim until it is settled. */
export interface RunningAttempt {
  readonly entry: Entry;
  readonly event: StreamEvent;
  readonly claim: TakenDelivery;
  /** Of the claim. */
  readonly token: string;
  /** Aborted when the attempt must end before its commit point: asked to stop, or the lease is lost. */
  readonly giveUp: AbortController;
  /** Started while the breaker was not closed. */
  readonly isProbe: boolean;
  /** Resolved when the drain time is over and the attempt has not ended. */
  readonly cutOff: PromiseWithResolvers<Outcome>;
  /** Monotonic, ms: our lease lasts at least until then, measured from before the claim was sent. */
  leaseUntil: number;
  /** When the other system was asked, in ms since 1970; 0: it was not. */
  askedAtMs: number;
  /** Since when everything was declined as it was, in ms since 1970; 0: it was not. */
  allDeclinedSinceMs: number;
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
 *
 * As many again may be claimed from dead consumers: a consumer that is full takes them over, so that they are not idle; their
 * work begins when there is a slot (`slots.ts`).
 */
export interface InFlight {
  /** How many more entries may be read now. */
  room(): number;
  /** How many more may be claimed from dead consumers. */
  claimRoom(): number;
  /** Resolves when there is room to read for so many, after `timeoutMs`, or when the signal is aborted. */
  untilRoom(atLeast: number, timeoutMs: number, signal: AbortSignal): Promise<void>;
  /** Resolves when an entry ends, after `timeoutMs`, or when the signal is aborted. */
  untilOneEnds(timeoutMs: number, signal: AbortSignal): Promise<void>;
  /** Resolves when nothing is in flight, or after `timeoutMs`. True if empty. */
  untilEmpty(timeoutMs: number): Promise<boolean>;
  holds(entry: Pick<Entry, "stream" | "id">): boolean;
  take(entry: Entry): void;
  /** The entry waits, beside those in flight: it takes no room, and is renewed like them. */
  keep(entry: Entry): void;
  isKept(entry: Pick<Entry, "stream" | "id">): boolean;
  /** The entry's delivery is claimed; the heartbeat renews its lease from now on. */
  claimed(attempt: RunningAttempt): void;
  release(entry: Entry): void;
  /** Those in flight, and those that are kept. */
  entries(): readonly Entry[];
  /** How many are in flight. */
  size(): number;
  /** How many are kept. */
  kept(): number;
  attempts(): readonly RunningAttempt[];
  /** How many of the entries may still begin their work, each with a token of the budget. */
  unpaid(): number;
}

/** Names an entry among those of all streams. */
export const keyOf = (entry: Pick<Entry, "stream" | "id">): string => `${entry.stream} ${entry.id}`;

export const createInFlight = (concurrency: number): InFlight => {
  const held = new Map<string, { readonly entry: Entry; attempt?: RunningAttempt }>();
  const kept = new Map<string, Entry>();
  const waiters = new Set<() => void>();
  let ended = 0;

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

  /** How many of those held were claimed from dead consumers. */
  let takenOver = 0;
  const room = () => Math.max(0, concurrency - (held.size - takenOver));
  const leave = (entry: Entry): void => {
    if (held.delete(keyOf(entry)) && entry.isTakenOver) takenOver -= 1;
  };

  return {
    room,
    claimRoom: () => Math.max(0, concurrency - takenOver),
    untilRoom: (atLeast, timeoutMs, signal) =>
      until(
        () => room() >= atLeast || signal.aborted,
        (end) => {
          const timer = setTimeout(end, timeoutMs);
          signal.addEventListener("abort", end);
          return () => {
            clearTimeout(timer);
            signal.removeEventListener("abort", end);
          };
        },
      ),
    untilOneEnds: (timeoutMs, signal) => {
      const before = ended;
      return until(
        () => ended > before || signal.aborted,
        (end) => {
          const timer = setTimeout(end, timeoutMs);
          signal.addEventListener("abort", end);
          return () => {
            clearTimeout(timer);
            signal.removeEventListener("abort", end);
          };
        },
      );
    },
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
    holds: (entry) => held.has(keyOf(entry)) || kept.has(keyOf(entry)),
    take: (entry) => {
      kept.delete(keyOf(entry));
      if (held.has(keyOf(entry))) return;
      held.set(keyOf(entry), { entry });
      if (entry.isTakenOver) takenOver += 1;
    },
    keep: (entry) => {
      leave(entry);
      kept.set(keyOf(entry), entry);
    },
    isKept: (entry) => kept.has(keyOf(entry)),
    claimed: (attempt) => {
      const holding = held.get(keyOf(attempt.entry));
      if (holding !== undefined) holding.attempt = attempt;
    },
    release: (entry) => {
      leave(entry);
      kept.delete(keyOf(entry));
      ended += 1;
      changed();
    },
    size: () => held.size,
    kept: () => kept.size,
    entries: () => [...[...held.values()].map((holding) => holding.entry), ...kept.values()],
    attempts: () => [...held.values()].flatMap((holding) => holding.attempt ?? []),
    unpaid: () => [...held.values()].filter(({ attempt }) => attempt?.isPaidFor !== true).length,
  };
};
