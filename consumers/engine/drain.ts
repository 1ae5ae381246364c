import type { Redis } from "ioredis";
import { isUuid } from "../../database/uuid.ts";
import type { Logger } from "../../observability/logger.ts";
import { pause } from "../../runtime/loop.ts";
import { fieldsOf, pendingOf } from "../../stream/entries.ts";
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

/**
 * Releases every entry pending for this consumer, also those of lost replies, and leaves the group. What is still held comes behind
 * others, which the ledger notes; else it would look lost.
 */
export const leaveNothingBehind = async (
  deps: DrainDeps & { readonly ledger: Pick<Ledger, "requeued"> },
): Promise<void> => {
  const { redis, keys, group, consumer, inFlight, ledger, log } = deps;
  const eventIds = inFlight.entries().flatMap(({ raw }) => fieldsOf(raw ?? [])["id"] ?? []);
  const noted = ledger.requeued(eventIds.filter(isUuid)).catch((error: unknown) => {
    log.warn({ error }, "the ledger could not note what is released; what it takes for lost is queued twice");
  });
  await Promise.race([noted, pause(NOTE_TIMEOUT_MS)]);
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
