import { type Database, statement } from "../connection.ts";
import type { DeliveryState } from "./states.ts";
import type { TimelineStep } from "./timeline.ts";

/** The delivery of one event to one group. */
export interface DeliveryStatus {
  readonly eventId: string;
  readonly group: string;
  readonly state: DeliveryState;
  readonly attempts: number;
  /** Times that it was unknown whether the effect took place. */
  readonly uncertain: number;
  readonly nextTryAt: Date | null;
  readonly reason: string | null;
  /** When it was reported that the mail did not arrive, or was not wanted, after it had been accepted. */
  readonly bouncedAt: Date | null;
  /** What was reported then: `bounced 5.1.1`, `complained`. */
  readonly bounce: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** Oldest first, the last 50 steps. */
  readonly timeline: readonly TimelineStep[];
}

/**
 * Looks events up in every group that has a delivery of them. Reads Postgres alone, so it is right also after Redis was flushed.
 */
export const findDeliveries = async (
  db: Database,
  ...eventIds: readonly string[]
): Promise<readonly DeliveryStatus[]> => {
  if (eventIds.length === 0) return [];
  const rows = await db
    .selectFrom("deliveries")
    .select(["event_id", "group_name", "state", "attempts", "uncertain", "next_try_at", "reason"])
    .select(["bounced_at", "bounce", "created_at", "updated_at", "timeline"])
    .where("event_id", "in", eventIds)
    .orderBy("group_name")
    .execute();
  return rows.map((row) => ({
    eventId: row.event_id,
    group: row.group_name,
    state: row.state,
    attempts: row.attempts,
    uncertain: row.uncertain,
    nextTryAt: row.next_try_at,
    reason: row.reason,
    bouncedAt: row.bounced_at,
    bounce: row.bounce,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    timeline: row.timeline,
  }));
};

const states = statement<{ event_id: string; state: DeliveryState }, [readonly string[], string]>(`
  select event_id, state from deliveries
  where event_id in (select value::uuid from json_array_elements_text($1::json)) and group_name = $2::text`);

/** The state of each event's delivery; ids of which the group has none are missing in the answer. */
export const findDeliveryStates = async (
  db: Database,
  eventIds: readonly string[],
  group: string,
): Promise<ReadonlyMap<string, DeliveryState>> =>
  eventIds.length === 0
    ? new Map()
    : new Map((await states(db, eventIds, group)).map((row) => [row.event_id, row.state]));
