import type { Redis } from "ioredis";
import type { Database } from "../../database/connection.ts";
import type { LoggedEvent } from "../../database/events.ts";
import { deletePublished } from "../../database/outbox.ts";
import type { Logger } from "../../observability/logger.ts";
import { outsideOfTraces } from "../../observability/tracing.ts";
import { loggedEvent } from "../../stream/events/envelope.ts";
import type { Keys } from "../../stream/keys.ts";
import { publish } from "../../stream/publish.ts";

export interface Publisher {
  /**
   * Publishes a committed event, within the connection's short time limit; its outbox row goes soon after XADD was confirmed.
   * Never rejects: what it could not publish, or does not know to be published, the relay will.
   */
  publish(event: LoggedEvent): Promise<void>;
  /** Resolves when all confirmed rows are deleted. */
  idle(): Promise<void>;
}

const MAX_BATCH = 500;
/** A confirmed row waits so long for others: one statement for many, and far sooner than the relay's 2 s. */
const LINGER_MS = 25;

export const createPublisher = (deps: {
  readonly db: Database;
  readonly redis: Redis;
  readonly keys: Keys;
  readonly log: Logger;
}): Publisher => {
  const { db, redis, keys, log } = deps;
  const confirmed: string[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  let deleting: Promise<void> | undefined;
  let isFailing = false;

  const deleteConfirmed = async (): Promise<void> => {
    while (confirmed.length > 0) {
      const eventIds = confirmed.splice(0, MAX_BATCH);
      try {
        await outsideOfTraces(() => deletePublished(db, eventIds));
      } catch (error) {
        // A row that stays is published again, harmlessly.
        log.warn({ error }, "published events stay in the outbox; the relay will publish them again");
      }
    }
    deleting = undefined;
  };

  const startDeleting = (): void => {
    clearTimeout(timer);
    timer = undefined;
    // With nothing to delete it would end before it is assigned, and never be called again.
    if (confirmed.length > 0) deleting ??= deleteConfirmed();
  };

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
      // Not awaited: the client's answer does not depend on it.
      confirmed.push(event.event_id);
      timer ??= setTimeout(startDeleting, LINGER_MS);
    },
    async idle() {
      startDeleting();
      await deleting;
    },
  };
};
