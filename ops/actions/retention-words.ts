import type { RetentionFacts } from "../../database/ledger/retention-record.ts";
import { counted, duration, relative } from "../../runtime/quantity.ts";

/** An api looks each minute: one that has not for so long is gone, or keeps everything. */
const SILENT_MS = 10 * 60_000;

/** How long events are kept, how old the oldest is, and what was deleted last. */
export const retentionWords = (
  { oldestEventAt, retentionMs, lookedAt, removed }: RetentionFacts,
  now: Date,
): string => {
  const keeps =
    retentionMs === null || lookedAt === null
      ? "events are kept for good"
      : now.getTime() - lookedAt.getTime() > SILENT_MS
        ? `no api has looked for old events for ${duration(now.getTime() - lookedAt.getTime())} (they were kept for ${duration(retentionMs)})`
        : `events are kept for ${duration(retentionMs)}`;
  const oldest = oldestEventAt === null ? "there is none" : `the oldest is of ${relative(oldestEventAt, now)}`;
  const last =
    removed === null
      ? retentionMs === null
        ? []
        : ["none was deleted yet"]
      : [
          `${counted(removed.events, "event")} with ${counted(removed.deliveries, "delivery", "deliveries")} deleted ${relative(removed.at, now)}`,
        ];
  return [keeps, oldest, ...last].join("; ");
};
