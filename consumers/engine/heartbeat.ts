import type { Redis } from "ioredis";
import type { Logger } from "../../observability/logger.ts";
import { type Loop, pause, startLoop } from "../../runtime/loop.ts";
import { SignOfLifeRefused } from "../../runtime/published-fault.ts";
import { SIGN_OF_LIFE_EVERY_MS } from "../../runtime/situation/facts.ts";
import { isRefusedReply } from "../../stream/connection.ts";
import type { ConsumerReport } from "../../stream/consumer-report.ts";
import type { Keys } from "../../stream/keys.ts";
import { beat } from "../../stream/scripts/beat.ts";
import { renewEntries } from "../../stream/scripts/renew.ts";
import { resetIdleTimes } from "../../stream/scripts/reset-idle.ts";
import type { Finished } from "./finished.ts";
import type { InFlight } from "./in-flight.ts";
import type { Ledger } from "./ledger.ts";

export interface HeartbeatDeps {
  readonly redis: Redis;
  readonly keys: Keys;
  readonly group: string;
  readonly consumer: string;
  readonly inFlight: InFlight;
  readonly ledger: Pick<Ledger, "renew">;
  readonly log: Logger;
  /** Monotonic, ms. */
  readonly now: () => number;
  readonly report: () => ConsumerReport;
  readonly finished: Finished;
}

/**
 * Every third of the claim threshold, every 3 s at least since people read the report, and as soon as Redis is available again, writes a sign of life with a report, and renews
 * the work in flight: the entries' idle time in Redis, and the deliveries' leases in the ledger. So the threshold can be
 * shorter than the work.
 *
 * A delivery whose lease could not be renewed in time is given up unless it is past its commit point: a peer may work on it
 * now. Losing only the entry changes nothing: the ledger decides who owns the delivery.
 */
export const startHeartbeat = (deps: HeartbeatDeps, options: { readonly claimMinIdleMs: number }): Loop => {
  const { redis, keys, group, consumer, inFlight, ledger, log, now, report, finished } = deps;
  const written = [keys.signsOfLife(group), keys.reports(group), keys.history(group)];
  const everyMs = Math.min(SIGN_OF_LIFE_EVERY_MS, Math.floor(options.claimMinIdleMs / 3));

  const renewInRedis = async (): Promise<void> => {
    const byStream = Map.groupBy(inFlight.entries(), (entry) => entry.stream);
    for (const [stream, entries] of byStream) {
      const ids = entries.map((entry) => entry.id);
      await renewEntries(redis, { stream, group, consumer }, ids);
    }
  };

  let isResetting = false;

  /** Not written while Redis is full: then a death does not count as poison, no more. */
  const giveSign = async (): Promise<void> => {
    const counts = finished.take();
    const wasSetBack = await beat(redis, { keys, group, consumer }, report(), counts).catch((cause: unknown) => {
      finished.putBack(counts);
      // That it does not answer others say, who wait for it.
      if (isRefusedReply(cause)) throw new SignOfLifeRefused(written, cause);
      return false;
    });
    if (!wasSetBack || isResetting) return;
    isResetting = true;
    log.warn("the clock of Redis was set back: what consumers hold is idle from now on");
    await resetIdleTimes(redis, keys, group).finally(() => {
      isResetting = false;
    });
  };

  const renewInLedger = async (): Promise<void> => {
    const attempts = inFlight.attempts().filter((attempt) => !attempt.isLost);
    if (attempts.length === 0) return;
    const askedAt = now();
    const leases = attempts.map(({ claim }) => ({ event_id: claim.eventId, fence: claim.fence }));
    const { renewed, locked } = await ledger.renew(leases);
    for (const attempt of attempts) {
      const { eventId } = attempt.claim;
      if (renewed.has(eventId)) attempt.leaseUntil = askedAt + options.claimMinIdleMs;
      // An attempt whose outcome is recorded is no longer `active` either: for it this has no effect.
      else if (!locked.has(eventId)) attempt.isLost = true;
    }
  };

  const giveUpOverdue = (): void => {
    for (const attempt of inFlight.attempts()) {
      if (attempt.isCommitted || attempt.giveUp.signal.aborted) continue;
      if (attempt.isLost || now() >= attempt.leaseUntil) attempt.giveUp.abort("lease_lost");
    }
  };

  // Idle times went on while Redis was away.
  const renewAtOnce = () => void Promise.all([renewInRedis(), giveSign()].map((renewal) => renewal.catch(() => {})));
  redis.on("ready", renewAtOnce);

  const loop = startLoop({
    name: `heartbeat of ${group}`,
    log,
    everyMs,
    // On time although a store fails or hangs: the other one is told by it that this consumer lives.
    longestFailurePauseMs: everyMs,
    turn: async (signal) => {
      const renewals = Promise.allSettled([renewInRedis(), renewInLedger(), giveSign()]);
      // A store that hangs must not delay giving up leases that ran out.
      const results = await Promise.race([renewals, pause(everyMs, signal).then(() => undefined)]);
      giveUpOverdue();
      if (results === undefined) return "again";
      for (const result of results) if (result.status === "rejected") throw result.reason;
      return "idle";
    },
  });
  void loop.done.then(() => redis.off("ready", renewAtOnce));
  return loop;
};
