import type { Redis } from "ioredis";
import type { Database } from "../../database/connection.ts";
import type { LoggedEvent } from "../../database/events.ts";
import { deletePublished } from "../../database/outbox.ts";
import type { Logger } from "../../observability/logger.ts";
import { outsideOfTraces } from "../../observability/tracing.ts";
import type { Keys } from "../../stream/keys.ts";
import { publishAll } from "../../stream/publish.ts";

export interface Publisher {
  /**
   * Publishes a committed event, with those of the same turn of the event loop in one pipeline, within the connection's short time
   * limit; its outbox row goes soon after its own XADD was confirmed.
   * Never rejects: what it could not publish, or does not know to be published, the relay will.
   */
  publish(event: LoggedEvent): Promise<void>;
  /** Resolves when all confirmed rows are deleted. */
  idle(): Promise<void>;
}

const MAX_BATCH = 500;
/** An event that waits for its XADD. */
interface Waiting {
  readonly event: LoggedEvent;
  readonly done: () => void;
}

/** A confirmed row waits so long for others: one statement for many, and far sooner than the relay's 2 s. */
const LINGER_MS = 25;

export const createPublisher = (deps: {
  readonly db: Database;
  readonly redis: Redis;
  readonly keys: Keys;
  readonly log: Logger;
}): Publisher => {
  const { db, redis, keys, log } = deps;
  let gathered: Waiting[] = [];
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

  const publishGathered = async (): Promise<void> => {
    const batch = gathered;
    gathered = [];
    const results = await publishAll(
      redis,
      keys.events,
      batch.map(({ event }) => event),
    );
    let failure: PromiseRejectedResult | undefined;
    for (const [index, { event, done }] of batch.entries()) {
      const result = results[index];
      if (result?.status === "fulfilled") confirmed.push(event.event_id);
      else failure ??= result;
      done();
    }
    if (failure !== undefined && !isFailing) {
      log.warn({ error: failure.reason }, "events wait in the outbox: Redis did not confirm");
    }
    isFailing = failure !== undefined;
    // Not awaited: the client's answer does not depend on it.
    if (confirmed.length > 0) timer ??= setTimeout(startDeleting, LINGER_MS);
  };

  return {
    publish: (event) =>
      new Promise((done) => {
        gathered.push({ event, done });
        // Those of one turn of the event loop, as the signups of one statement are, share a pipeline. It belongs to no trace.
        if (gathered.length === 1) setImmediate(() => void outsideOfTraces(publishGathered));
      }),
    async idle() {
      startDeleting();
      await deleting;
    },
  };
};
