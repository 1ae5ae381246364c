import type { Database } from "./connection.ts";
import type { EmailState } from "./email-state.ts";
import type { TimelineStep } from "./schema.ts";

/** What the ledger knows of one event's mail. */
export interface EventStatus {
  readonly eventId: string;
  readonly state: EmailState;
  readonly attempts: number;
  /** Times that nobody could know whether the mail went out. */
  readonly uncertain: number;
  readonly nextTryAt: Date | null;
  readonly reason: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** Oldest first, the last 50 steps. */
  readonly timeline: readonly TimelineStep[];
}

/** Looks one event up. Needs Postgres alone: true also after Redis was wiped. */
export const findEventStatus = async (db: Database, eventId: string): Promise<EventStatus | undefined> => {
  const row = await db
    .selectFrom("emails")
    .select([
      "event_id",
      "state",
      "attempts",
      "uncertain",
      "next_try_at",
      "reason",
      "created_at",
      "updated_at",
      "timeline",
    ])
    .where("event_id", "=", eventId)
    .executeTakeFirst();
  return row === undefined
    ? undefined
    : {
        eventId: row.event_id,
        state: row.state,
        attempts: row.attempts,
        uncertain: row.uncertain,
        nextTryAt: row.next_try_at,
        reason: row.reason,
        createdAt: row.created_at,
        updatedAt: row.updated_at,
        timeline: row.timeline,
      };
};
