import type { Logger } from "../../observability/logger.ts";
import { type Loop, pause, startLoop } from "../../runtime/loop.ts";
import type { EventStatus, FindEvents } from "./event-status.ts";
import type { StateWatcher } from "./state-watcher.ts";

/** Follows the status of events for whoever watches them. */
export interface LiveStatuses extends Loop {
  /** Calls `onStatus` each time that the event's status was read; returns a function that ends it. */
  follow(eventId: string, onStatus: (status: EventStatus) => void): () => void;
}

export interface LiveStatusesDeps {
  readonly findEvents: FindEvents;
  readonly watcher: StateWatcher;
  readonly log: Logger;
}

/** How often the ledger is read without a hint: a hint may be lost, and without Redis there are none. */
const POLL_EVERY_MS = 5_000;
const POLL_EVERY_WITHOUT_HINTS_MS = 1_000;
const MAX_BATCH = 500;

/**
 * Reads the ledger for all who watch, in one statement: those that a hint names at once, and all of them at intervals. So the
 * cost of many open pages is that of one. The ledger is the truth; Redis Pub/Sub only says when to read it.
 */
export const startLiveStatuses = ({ findEvents, watcher, log }: LiveStatusesDeps): LiveStatuses => {
  const followers = new Map<string, Set<(status: EventStatus) => void>>();
  const hinted = new Set<string>();
  let wake = () => {};
  let readAllAt = performance.now();

  const read = async (eventIds: readonly string[]): Promise<void> => {
    for (let from = 0; from < eventIds.length; from += MAX_BATCH) {
      const found = await findEvents(eventIds.slice(from, from + MAX_BATCH));
      for (const [eventId, status] of found) {
        for (const onStatus of followers.get(eventId) ?? []) onStatus(status);
      }
    }
  };

  const loop = startLoop({
    name: "live statuses",
    log,
    everyMs: 0,
    turn: async (signal) => {
      const pollEveryMs = watcher.isConnected() ? POLL_EVERY_MS : POLL_EVERY_WITHOUT_HINTS_MS;
      const waitMs = readAllAt + pollEveryMs - performance.now();
      if (hinted.size === 0 && waitMs > 0) {
        const waited = new AbortController();
        const hint = new Promise<void>((resolve) => {
          wake = resolve;
        });
        // At most for the shorter time: the connection to Redis may be lost meanwhile.
        const timeMs = Math.min(waitMs, POLL_EVERY_WITHOUT_HINTS_MS);
        await Promise.race([hint, pause(timeMs, AbortSignal.any([signal, waited.signal]))]);
        waited.abort();
        return "again";
      }
      const isForAll = waitMs <= 0;
      if (isForAll) readAllAt = performance.now();
      const eventIds = isForAll ? [...followers.keys()] : [...hinted];
      // Before the statement: a hint that arrives while it runs is read again.
      hinted.clear();
      await read(eventIds);
      return "again";
    },
  });

  return {
    ...loop,
    follow(eventId, onStatus) {
      const ofEvent = followers.get(eventId) ?? new Set();
      followers.set(eventId, ofEvent.add(onStatus));
      const unwatch = watcher.watch(eventId, () => {
        hinted.add(eventId);
        wake();
      });
      // It may have changed since its follower has read it.
      hinted.add(eventId);
      wake();
      return () => {
        unwatch();
        ofEvent.delete(onStatus);
        if (ofEvent.size === 0) followers.delete(eventId);
      };
    },
  };
};
