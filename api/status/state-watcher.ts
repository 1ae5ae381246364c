import type { Redis } from "ioredis";
import type { Logger } from "../../observability/logger.ts";

/** Tells, as it happens, that something has become of an event. A hint to look at the ledger, never the truth itself. */
export interface StateWatcher {
  /** Calls `onChange` at each hint for this event; returns a function that ends it. */
  watch(eventId: string, onChange: () => void): () => void;
  /** Whether hints can come at all: Redis may be away, and then one has to ask. */
  isConnected(): boolean;
  close(): void;
}

/**
 * One subscription per process, whatever the number of watchers. Redis forgets what it published: a hint that is lost
 * costs a watcher the time until it asks by itself.
 */
export const createStateWatcher = (deps: {
  /** Opens a connection of its own: one that subscribes can do nothing else. */
  readonly connect: () => Redis;
  readonly channel: string;
  readonly log: Logger;
}): StateWatcher => {
  const { connect, channel, log } = deps;
  const watchers = new Map<string, Set<() => void>>();
  const redis = connect();
  let isSubscribed = false;

  const subscribe = () => {
    redis.subscribe(channel).then(
      () => {
        isSubscribed = true;
      },
      (error: unknown) => log.warn({ error }, "cannot watch states; live pages ask the ledger instead"),
    );
  };
  if (redis.status === "ready") subscribe();
  redis.on("ready", subscribe);
  redis.on("close", () => {
    isSubscribed = false;
  });
  redis.on("message", (_channel: string, message: string) => {
    const [eventId = ""] = message.split(" ");
    for (const onChange of watchers.get(eventId) ?? []) onChange();
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
