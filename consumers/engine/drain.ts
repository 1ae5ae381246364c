import type { Redis } from "ioredis";
import type { Logger } from "../../observability/logger.ts";
import { pendingOf } from "../../stream/entries.ts";
import type { Keys } from "../../stream/keys.ts";
import { leaveGroup } from "../../stream/scripts/leave.ts";
import { releaseEntries } from "../../stream/scripts/release.ts";
import type { InFlight } from "./in-flight.ts";

export interface DrainDeps {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly group: string;
  readonly consumer: string;
  readonly inFlight: InFlight;
  readonly log: Logger;
}

/** What has not come to its commit point by then is given up, so that a peer has it within a second. */
const BEFORE_COMMIT_GRACE_MS = 300;
/** Time to record and move what was cut off, after the drain's own limit. */
const CUT_OFF_GRACE_MS = 1_500;
const PAGE = 500;

/**
 * Finishes what runs: an attempt that is past its commit point gets all of the time, one before it a moment; then it is
 * released to a peer. What was committed and never answered is uncertain.
 */
export const finishWork = async ({ inFlight, log }: DrainDeps, drainTimeoutMs: number): Promise<void> => {
  if (await inFlight.untilEmpty(Math.min(BEFORE_COMMIT_GRACE_MS, drainTimeoutMs))) return;
  for (const attempt of inFlight.attempts()) if (!attempt.isCommitted) attempt.giveUp.abort("stopped");
  if (await inFlight.untilEmpty(Math.max(0, drainTimeoutMs - BEFORE_COMMIT_GRACE_MS))) return;
  for (const attempt of inFlight.attempts()) {
    attempt.giveUp.abort("stopped");
    attempt.cutOff.resolve({ kind: attempt.isCommitted ? "uncertain" : "released", reason: "stopped" });
  }
  if (!(await inFlight.untilEmpty(CUT_OFF_GRACE_MS))) {
    log.warn({ left: inFlight.entries().length }, "the drain's time is over; a peer will claim what is left");
  }
};

/** Releases all that Redis lists as this consumer's, also what no reply ever brought, and leaves the group. */
export const leaveNothingBehind = async (deps: DrainDeps): Promise<void> => {
  const { redis, keys, group, consumer, log } = deps;
  const retriesStream = keys.retriesStream(group);
  for (const stream of [keys.events, retriesStream]) {
    for (;;) {
      const ids = await pendingOf(redis, { group, consumer, stream, count: PAGE });
      if (ids.length === 0) break;
      const released = await releaseEntries(redis, { stream, group, consumer }, retriesStream, ids);
      log.info({ stream, released }, "released entries");
      if (released === 0) break;
    }
  }
  await leaveGroup(redis, { events: keys.events, retries: retriesStream }, group, consumer);
};
