import type { Redis } from "ioredis";
import type { Logger } from "../../observability/logger.ts";
import { followChanges } from "../../stream/follow.ts";

/** Signals that an event's state may have changed. A hint to read the ledger, never the truth itself. */
export interface StateWatcher {
  /** Calls `onChange` at each hint for this event; returns a function that unsubscribes. */
  watch(eventId: string, onChange: () => void): () => void;
  /** Whether hints can arrive at all: without Redis the ledger has to be polled. */
  isConnected(): boolean;
  close(): void;
}

/**
 * One subscription per process, however many watchers. Redis does not keep what it publishes: a lost hint delays a
 * watcher until its next poll.
 */
export const createStateWatcher = (deps: {
  /** Opens a separate connection: one that subscribes can do nothing else. */
  readonly connect: () => Redis;
  readonly channel: string;
  readonly log: Logger;
}): StateWatcher => {
  const { connect, channel, log } = deps;
  const watchers = new Map<string, Set<() => void>>();
  const redis = connect();
  let isSubscribed = false;

  const onChangeOf = (eventId: string) => {
    for (const onChange of watchers.get(eventId) ?? []) onChange();
  };
  followChanges(redis, channel, onChangeOf, {
    onSubscribed: () => {
      isSubscribed = true;
    },
    onFault: (error) => log.warn({ error }, "cannot subscribe to state changes; live pages poll the ledger instead"),
  });
  redis.on("close", () => {
    isSubscribed = false;
  });

  return {
    watch(eventId, onChange) {
      const ofEvent = watchers.get(eventId) ?? new Set();
      watchers.set(eventId, ofEvent.add(onChange));
      return () => {
        ofEvent.delete(onChange);
        if (ofEvent.size === 0) watchers.delete(eventId);
      };
    },
    isConnected: () => isSubscribed,
    close: () => redis.disconnect(),
  };
};
