import type { Redis } from "ioredis";
import type { Logger } from "../../observability/logger.ts";
import { type Loop, pause, startLoop } from "../../runtime/loop.ts";
import { renewEntries } from "../../stream/scripts/renew.ts";
import type { Hands } from "./hands.ts";
import type { Ledger } from "./ledger.ts";

export interface HeartbeatDeps {
  readonly redis: Redis;
  readonly group: string;
  readonly consumer: string;
  readonly hands: Hands;
  readonly ledger: Ledger;
  readonly log: Logger;
  /** Monotonic, ms. */
  readonly now: () => number;
}

/**
 * Renews, at a third of the claim threshold, what this consumer works on: the entries' idle time in Redis, and the mails'
 * leases in the ledger. So the threshold can be short, whatever a send takes.
 *
 * A mail whose lease could not be renewed in time is given up if its body has not begun to go out: somebody else may send
 * it now. Losing only the entry changes nothing, for the ledger still says whose the mail is.
 */
export const startHeartbeat = (deps: HeartbeatDeps, options: { readonly claimMinIdleMs: number }): Loop => {
  const { redis, group, consumer, hands, ledger, log, now } = deps;
  const everyMs = Math.floor(options.claimMinIdleMs / 3);

  const renewInRedis = async (): Promise<void> => {
    const byStream = Map.groupBy(hands.entries(), (entry) => entry.stream);
    for (const [stream, entries] of byStream) {
      const ids = entries.map((entry) => entry.id);
      await renewEntries(redis, { stream, group, consumer }, ids);
    }
  };

  const renewInLedger = async (): Promise<void> => {
    const deliveries = hands.deliveries().filter((delivery) => !delivery.lost);
    if (deliveries.length === 0) return;
    const askedAt = now();
    const leases = deliveries.map(({ mail }) => ({ event_id: mail.eventId, fence: mail.fence }));
    const ours = await ledger.renew(leases);
    for (const delivery of deliveries) {
      if (ours.has(delivery.mail.eventId)) delivery.leaseUntil = askedAt + options.claimMinIdleMs;
      // A mail whose outcome is recorded is no longer "sending"; only one that still runs can have been taken away.
      else delivery.lost = true;
    }
  };

  const giveUpOverdue = (): void => {
    for (const delivery of hands.deliveries()) {
      if (delivery.bodyStarted || delivery.giveUp.signal.aborted) continue;
      if (delivery.lost || now() >= delivery.leaseUntil) delivery.giveUp.abort("lease_lost");
    }
  };

  return startLoop({
    name: `heartbeat of ${group}`,
    log,
    everyMs,
    turn: async (signal) => {
      const renewals = Promise.allSettled([renewInRedis(), renewInLedger()]);
      // A store that hangs must not keep us from giving up what we can no longer hold.
      const results = await Promise.race([renewals, pause(everyMs, signal).then(() => undefined)]);
      giveUpOverdue();
      for (const result of results ?? []) if (result.status === "rejected") throw result.reason;
      return "idle";
    },
  });
};
