import type { Redis } from "ioredis";
import type { Database } from "../../database/connection.ts";
import type { LoggedEvent } from "../../database/events.ts";
import { deletePublished } from "../../database/outbox.ts";
import type { Logger } from "../../observability/logger.ts";
import { createBatcher } from "../../runtime/batcher.ts";
import { loggedEvent } from "../../stream/events/envelope.ts";
import type { Keys } from "../../stream/keys.ts";
import { publish } from "../../stream/publish.ts";

export interface Publisher {
  /**
   * Publishes a committed event, within the connection's short time limit; its outbox row goes after XADD was confirmed.
   * Never rejects: what it could not publish, or does not know to be published, the relay will.
   */
  publish(event: LoggedEvent): Promise<void>;
  /** Resolves when all confirmed rows are deleted. */
  idle(): Promise<void>;
}

const MAX_BATCH = 500;

export const createPublisher = (deps: {
  readonly db: Database;
  readonly redis: Redis;
  readonly keys: Keys;
  readonly log: Logger;
}): Publisher => {
  const { db, redis, keys, log } = deps;
  const published = createBatcher<string, void>({
    maxBatch: MAX_BATCH,
    maxInFlight: 1,
    run: async (eventIds) => {
      await deletePublished(db, eventIds);
      return eventIds.map(() => undefined);
    },
  });
  let isFailing = false;

  return {
    async publish(event) {
      try {
        await publish(redis, keys.events, loggedEvent(event));
      } catch (error) {
        if (!isFailing) log.warn({ error }, "events wait in the outbox: Redis did not confirm");
        isFailing = true;
        return;
      }
      isFailing = false;
      // Not awaited: the client's answer does not depend on it, and a row that stays is published again, harmlessly.
      void published.add(event.event_id).catch((error: unknown) => {
        log.warn({ error }, "published events stay in the outbox; the relay will publish them again");
      });
    },
    idle: () => published.idle(),
  };
};
