import type { Redis } from "ioredis";
import type { Logger } from "../../observability/logger.ts";
import { pendingOf } from "../../stream/entries.ts";
import type { Keys } from "../../stream/keys.ts";
import { handBack } from "../../stream/scripts/hand-back.ts";
import { leaveGroup } from "../../stream/scripts/leave.ts";
import type { Hands } from "./hands.ts";

export interface DrainDeps {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly group: string;
  readonly consumer: string;
  readonly hands: Hands;
  readonly log: Logger;
}

/** What has not reached 354 by then is called back, so that a peer has it within a second. */
const BEFORE_BODY_GRACE_MS = 300;
/** Time to record and move what was cut off, after the drain's own limit. */
const CUT_OFF_GRACE_MS = 1_500;
const PAGE = 500;

/**
 * Finishes what runs: a mail that is past 354 gets all of the time, one before it a moment; then it is called back and
 * given to a peer. What the server never answered is uncertain.
 */
export const finishWork = async ({ hands, log }: DrainDeps, drainTimeoutMs: number): Promise<void> => {
  if (await hands.untilEmpty(Math.min(BEFORE_BODY_GRACE_MS, drainTimeoutMs))) return;
  for (const delivery of hands.deliveries()) if (!delivery.bodyStarted) delivery.giveUp.abort("stopped");
  if (await hands.untilEmpty(Math.max(0, drainTimeoutMs - BEFORE_BODY_GRACE_MS))) return;
  for (const delivery of hands.deliveries()) {
    delivery.giveUp.abort("stopped");
    delivery.cutOff.resolve(
      delivery.bodyStarted ? { kind: "uncertain", reason: "stopped" } : { kind: "released", reason: "stopped" },
    );
  }
  if (!(await hands.untilEmpty(CUT_OFF_GRACE_MS))) {
    log.warn({ left: hands.entries().length }, "the drain's time is over; what is left will be claimed by a peer");
  }
};

/** Hands back all that Redis lists as this consumer's, also what no reply ever told us of, and leaves the group. */
export const leaveNothingBehind = async (deps: DrainDeps): Promise<void> => {
  const { redis, keys, group, consumer, log } = deps;
  const retries = keys.retries(group);
  for (const stream of [keys.events, retries]) {
    for (;;) {
      const ids = await pendingOf(redis, { group, consumer, stream, count: PAGE });
      if (ids.length === 0) break;
      const handed = await handBack(redis, { stream, group, consumer }, retries, ids);
      log.info({ stream, handed }, "handed entries back");
      if (handed === 0) break;
    }
  }
  await leaveGroup(redis, { events: keys.events, retries }, group, consumer);
};
