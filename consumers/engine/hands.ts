import type { Entry } from "../../stream/entries.ts";
import type { Delivery } from "./delivery.ts";

/**
 * What one consumer of one group has in its hands: entries that are read and not yet moved on, never more than its
 * concurrency. Bounds the reader, and tells the heartbeat what to renew.
 */
export interface Hands {
  /** How many more entries may be read now. */
  room(): number;
  /** Resolves when there is room, or the signal is aborted. */
  untilRoom(signal: AbortSignal): Promise<void>;
  /** Resolves when nothing is held, or after `timeoutMs`. True if empty. */
  untilEmpty(timeoutMs: number): Promise<boolean>;
  holds(entry: Entry): boolean;
  take(entry: Entry): void;
  /** The entry's mail is claimed; the heartbeat renews its lease from now on. */
  claimed(delivery: Delivery): void;
  release(entry: Entry): void;
  entries(): readonly Entry[];
  deliveries(): readonly Delivery[];
}

const keyOf = (entry: Entry): string => `${entry.stream} ${entry.id}`;

export const createHands = (concurrency: number): Hands => {
  const held = new Map<string, { readonly entry: Entry; delivery?: Delivery }>();
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
    claimed: (delivery) => {
      const holding = held.get(keyOf(delivery.entry));
      if (holding !== undefined) holding.delivery = delivery;
    },
    release: (entry) => {
      held.delete(keyOf(entry));
      changed();
    },
    entries: () => [...held.values()].map((holding) => holding.entry),
    deliveries: () => [...held.values()].flatMap((holding) => holding.delivery ?? []),
  };
};
