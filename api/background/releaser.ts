import type { Redis } from "ioredis";
import type { Database } from "../../database/connection.ts";
import { releaseDueDeliveries } from "../../database/ledger/release-due.ts";
import type { Logger } from "../../observability/logger.ts";
import { inTurns } from "../../runtime/in-turns.ts";
import { type Loop, pause, startLoop } from "../../runtime/loop.ts";
import { enqueueLogged } from "../../stream/enqueue.ts";
import type { Group } from "../../stream/groups.ts";
import type { Keys } from "../../stream/keys.ts";
import { publishStates } from "../../stream/publish.ts";

export interface ReleaserDeps {
  readonly db: Database;
  readonly redis: Redis;
  readonly keys: Keys;
  readonly groups: readonly Group[];
  readonly log: Logger;
}

const EVERY_MS = 5_000;
const BATCH = 250;
/** At most 1,000 a second: what comes back must not crowd out what comes in. */
const PAUSE_BETWEEN_BATCHES_MS = 250;

/**
 * Queues held deliveries whose time is over: ledger `held` -> `queued`, then an entry in the group's retries. If the process
 * dies in between, the row is `queued` without an entry, and the reconciler publishes it.
 */
export const startReleaser = (
  { db, redis, keys, groups, log }: ReleaserDeps,
  { everyMs = EVERY_MS }: { readonly everyMs?: number } = {},
): Loop => {
  /** One batch of one group; "again": there may be more. */
  const release = async (group: string, signal: AbortSignal): Promise<"again" | "idle"> => {
    const released = await releaseDueDeliveries(db, group, BATCH);
    if (released.length === 0) return "idle";
    await enqueueLogged(redis, keys.retriesStream(group), released);
    const releasedIds = released.map(({ event_id }) => event_id);
    publishStates(redis, keys.status, releasedIds, "queued");
    log.info({ group, released: released.length }, "released held deliveries whose time is over");
    if (released.length < BATCH) return "idle";
    await pause(PAUSE_BETWEEN_BATCHES_MS, signal);
    return "again";
  };

  return startLoop({
    name: "releaser",
    log,
    everyMs,
    turn: async (signal, progress) => {
      // Without Redis they would be queued where no consumer sees them.
      await redis.ping();
      await inTurns(
        groups,
        ({ name }) => {
          progress();
          return release(name, signal);
        },
        signal,
      );
      return "idle";
    },
  });
};
