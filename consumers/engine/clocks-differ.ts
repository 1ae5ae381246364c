import type { ClaimedDelivery } from "../../database/ledger/claim.ts";
import type { Logger } from "../../observability/logger.ts";

const SAID_EVERY_MS = 60_000;

/**
 * Warns, once a minute at most, if Postgres' clock takes for expired what the clock of this process does not. One of them is wrong: the work is done rather
 * than lost.
 */
export const sayIfClocksDiffer = ({
  log,
  now,
}: {
  readonly log: Logger;
  /** Monotonic, ms. */
  readonly now: () => number;
}): ((claims: Iterable<ClaimedDelivery>) => void) => {
  let saidAt = Number.NEGATIVE_INFINITY;
  return (claims) => {
    if (now() - saidAt < SAID_EVERY_MS) return;
    for (const claim of claims) {
      if (claim.kind !== "taken" || claim.clockAheadMs === undefined) continue;
      saidAt = now();
      const postgres_ahead_ms = Math.round(claim.clockAheadMs);
      log.warn(
        { event_id: claim.eventId, postgres_ahead_ms },
        "PostgreSQL takes for expired what this process does not, since their clocks differ; it is done. Synchronise both by NTP",
      );
      return;
    }
  };
};
