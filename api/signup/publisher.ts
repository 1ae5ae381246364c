import type { Redis } from "ioredis";
import type { Database } from "../../database/connection.ts";
import type { LoggedEvent } from "../../database/events.ts";
import { deletePublished } from "../../database/outbox.ts";
import type { Logger } from "../../observability/logger.ts";
import { outsideOfTraces } from "../../observability/tracing.ts";
import { pause } from "../../runtime/loop.ts";
import type { Keys } from "../../stream/keys.ts";
import { publishAll } from "../../stream/publish.ts";

export interface Publisher {
  /**
   * Publishes a committed event, with those that were committed with it in one write. Resolves when its XADD was written to the
   * connection, not when Redis has confirmed it; its outbox row goes soon after that. Never rejects, and never waits for Redis: what
   * could not be sent, or is not confirmed within 2 s, the relay publishes.
   */
  publish(event: LoggedEvent): Promise<void>;
  /** Resolves when all that was sent is confirmed, or after 0.5 s, and the confirmed rows are deleted. */
  idle(): Promise<void>;
}

export interface PublisherDeps {
  readonly db: Database;
  /** Its commands have no time limit: what is not answered counts until the connection ends. */
  readonly redis: Redis;
  readonly keys: Keys;
  readonly log: Logger;
  /** Most events that wait for Redis to confirm them; 2,000 if not given. */
  readonly maxUnconfirmed?: number;
}

const MAX_BATCH = 500;
/** Nobody waits for Redis, so only this bounds what is kept in memory while it is slow: some 1 MiB. */
const MAX_UNCONFIRMED = 2_000;
/** A confirmed row waits so long for others: one statement for many, and far sooner than the relay's 2 s. */
const LINGER_MS = 25;
/** At the end, for a Redis that is slow; the relay of another API publishes what is left. */
const IDLE_WITHIN_MS = 500;

/** Events that were committed together. */
interface Batch {
  readonly events: LoggedEvent[];
  readonly sent: Promise<void>;
}

export const createPublisher = (deps: PublisherDeps): Publisher => {
  const { db, redis, keys, log, maxUnconfirmed = MAX_UNCONFIRMED } = deps;
  let gathered: Batch | undefined;
  let unconfirmed = 0;
  const pipelines = new Set<Promise<void>>();
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

  const noteFailure = (error: unknown): void => {
    if (error !== undefined && !isFailing) log.warn({ error }, "events wait in the outbox: Redis did not confirm");
    isFailing = error !== undefined;
  };

  /** Its first turn writes to the connection. Never rejects. */
  const publishPipeline = async (events: readonly LoggedEvent[]): Promise<void> => {
    unconfirmed += events.length;
    const results = await publishAll(redis, keys.events, events).finally(() => {
      unconfirmed -= events.length;
    });
    let failure: unknown;
    events.forEach(({ event_id }, index) => {
      const result = results[index];
      if (result?.status === "fulfilled") confirmed.push(event_id);
      else failure ??= result?.reason ?? new Error("an XADD has no result");
    });
    noteFailure(failure);
    if (confirmed.length > 0) timer ??= setTimeout(startDeleting, LINGER_MS);
  };

  const send = ({ events }: Batch): void => {
    const fits = maxUnconfirmed - unconfirmed;
    const fitting = events.length <= fits ? events : events.slice(0, fits);
    if (fitting.length < events.length) noteFailure(new Error(`${unconfirmed} events are not confirmed yet`));
    if (fitting.length === 0) return;
    const pipeline = outsideOfTraces(() => publishPipeline(fitting)).finally(() => pipelines.delete(pipeline));
    pipelines.add(pipeline);
  };

  const gather = (): Batch => {
    const { promise: sent, resolve } = Promise.withResolvers<void>();
    const batch: Batch = { events: [], sent };
    // The signups of one statement go on one after the other, and then this: they share a pipeline. In the next turn of the event loop it
    // would first have to read all requests that are there by then, while the answers wait.
    queueMicrotask(() => {
      gathered = undefined;
      send(batch);
      resolve();
    });
    return batch;
  };

  return {
    publish(event) {
      gathered ??= gather();
      gathered.events.push(event);
      return gathered.sent;
    },
    async idle() {
      await gathered?.sent;
      const enough = new AbortController();
      await Promise.race([Promise.all(pipelines), pause(IDLE_WITHIN_MS, enough.signal)]);
      enough.abort();
      startDeleting();
      await deleting;
    },
  };
};
