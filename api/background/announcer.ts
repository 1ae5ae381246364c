import type { Redis } from "ioredis";
import type { Database } from "../../database/connection.ts";
import { deletePublished } from "../../database/outbox.ts";
import type { Logger } from "../../observability/logger.ts";
import type { TraceContext } from "../../observability/trace-context.ts";
import { createBatcher } from "../../runtime/batcher.ts";
import { type Locale, userSignedUp } from "../../stream/event.ts";
import type { Keys } from "../../stream/keys.ts";
import { publish } from "../../stream/publish.ts";

/** A signup that is committed. */
export interface CommittedSignup extends TraceContext {
  readonly eventId: string;
  readonly userId: string;
  readonly locale: Locale;
  readonly createdAt: Date;
}

export interface Announcer {
  /**
   * Publishes the event of a committed signup, within the connection's short time limit; its outbox row goes after XADD
   * was confirmed. Never rejects: what it could not publish, or does not know to be published, the relay will.
   */
  announce(signup: CommittedSignup): Promise<void>;
  /** Resolves when all confirmed rows are deleted. */
  idle(): Promise<void>;
}

const MAX_BATCH = 500;

export const createAnnouncer = (deps: {
  readonly db: Database;
  readonly redis: Redis;
  readonly keys: Keys;
  readonly log: Logger;
}): Announcer => {
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

  const failed = (error: unknown): void => {
    if (!isFailing) log.warn({ error }, "events wait in the outbox: Redis did not confirm");
    isFailing = true;
  };

  return {
    async announce({ eventId, userId, locale, createdAt, traceparent, tracestate }) {
      const trace = tracestate === undefined ? { traceparent } : { traceparent, tracestate };
      try {
        await publish(redis, keys.events, userSignedUp({ eventId, userId, locale, time: createdAt, trace }));
      } catch (error) {
        return failed(error);
      }
      isFailing = false;
      // Not awaited: the client's answer does not depend on it, and a row that stays is published again, harmlessly.
      void published.add(eventId).catch((error: unknown) => {
        log.warn({ error }, "published events stay in the outbox; the relay will publish them again");
      });
    },
    idle: () => published.idle(),
  };
};
