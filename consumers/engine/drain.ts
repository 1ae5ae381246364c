import type { Redis } from "ioredis";
import { isUuid } from "../../database/uuid.ts";
import type { Logger } from "../../observability/logger.ts";
import { pause } from "../../runtime/loop.ts";
import { type Entry, fieldsOf, pendingOf } from "../../stream/entries.ts";
import type { Keys } from "../../stream/keys.ts";
import { endBeat } from "../../stream/scripts/beat.ts";
import { leaveGroup } from "../../stream/scripts/leave.ts";
import { releaseEntries } from "../../stream/scripts/release.ts";
import { STOPPED } from "./decide.ts";
import type { InFlight } from "./in-flight.ts";
import type { Ledger } from "./ledger.ts";

export interface DrainDeps {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly group: string;
  readonly consumer: string;
  readonly inFlight: InFlight;
  readonly log: Logger;
}

export interface ReleaseDeps extends DrainDeps {
  readonly ledger: Pick<Ledger, "requeued">;
}

/** An attempt that is not past its commit point by then is given up, so that a peer has its entry within a second. */
const BEFORE_COMMIT_GRACE_MS = 300;
/** Time to settle attempts that were cut off, after the drain time. */
const CUT_OFF_GRACE_MS = 1_500;
/** A ledger that is away keeps nobody in the group. */
const NOTE_TIMEOUT_MS = 500;
const PAGE = 500;

/**
 * Finishes the attempts in flight. One past its commit point has the whole drain time, and is uncertain if it has no answer
 * by then; one before it has 300 ms, and is then released.
 */
export const finishWork = async ({ inFlight, log }: DrainDeps, drainTimeoutMs: number): Promise<void> => {
  if (await inFlight.untilEmpty(Math.min(BEFORE_COMMIT_GRACE_MS, drainTimeoutMs))) return;
  for (const attempt of inFlight.attempts()) if (!attempt.isCommitted) attempt.giveUp.abort(STOPPED);
  if (await inFlight.untilEmpty(Math.max(0, drainTimeoutMs - BEFORE_COMMIT_GRACE_MS))) return;
  for (const attempt of inFlight.attempts()) {
    attempt.giveUp.abort(STOPPED);
    attempt.cutOff.resolve({ kind: attempt.isCommitted ? "uncertain" : "released", reason: STOPPED });
  }
  if (!(await inFlight.untilEmpty(CUT_OFF_GRACE_MS))) {
    log.warn(
      { left: inFlight.entries().length },
      "the drain time is over; a peer will claim the entries that are left",
    );
  }
};

/** Notes what is released behind others; else it would look lost. */
const noteReleased = async ({ ledger, log }: ReleaseDeps, entries: readonly Entry[]): Promise<void> => {
  const eventIds = entries.flatMap(({ raw }) => fieldsOf(raw ?? [])["id"] ?? []);
  const noted = ledger.requeued(eventIds.filter(isUuid)).catch((error: unknown) => {
    log.warn({ error }, "the ledger could not note what is released; what it takes for lost is queued twice");
  });
  await Promise.race([noted, pause(NOTE_TIMEOUT_MS)]);
};

/** Releases entries that only waited here, while those in flight are finished: a peer may have room for them. */
export const releaseKept = async (deps: ReleaseDeps, entries: readonly Entry[]): Promise<void> => {
  if (entries.length === 0) return;
  const { redis, keys, group, consumer, inFlight } = deps;
  await noteReleased(deps, entries);
  for (const [stream, some] of Map.groupBy(entries, (entry) => entry.stream)) {
    const ids = some.map(({ id }) => id);
    await releaseEntries(redis, { stream, group, consumer }, keys.retriesStream(group), ids);
    for (const entry of some) inFlight.release(entry);
  }
};

/** Releases every entry pending for this consumer, also those of lost replies, and leaves the group. */
export const leaveNothingBehind = async (deps: ReleaseDeps): Promise<void> => {
  const { redis, keys, group, consumer, inFlight, log } = deps;
  await noteReleased(deps, inFlight.entries());
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
  await endBeat(redis, { keys, group, consumer });
  await leaveGroup(redis, { events: keys.events, retries: retriesStream }, group, consumer);
};
