import type { Database } from "../connection.ts";

/** A delivery that waits for an operator, because nobody knows whether its effect took place, for example, or until a time. */
export interface HeldDelivery {
  readonly eventId: string;
  readonly subject: string;
  readonly attempts: number;
  readonly uncertain: number;
  readonly reason: string | null;
  readonly heldAt: Date;
  /** When it is queued again by itself; null: when an operator has it done. */
  readonly heldUntil: Date | null;
}

/** Held deliveries of a group by event id, those after `after` and for `reason` only, at most `limit`. */
export const listHeldDeliveries = async (
  db: Database,
  options: {
    readonly group: string;
    readonly limit: number;
    readonly after?: string | undefined;
    readonly reason?: string | undefined;
  },
): Promise<readonly HeldDelivery[]> => {
  let query = db
    .selectFrom("deliveries")
    .innerJoin("events", "events.event_id", "deliveries.event_id")
    .select(["deliveries.event_id", "subject", "attempts", "uncertain", "reason", "updated_at", "next_try_at"])
    .where("group_name", "=", options.group)
    .where("state", "=", "held")
    .orderBy("deliveries.event_id")
    .limit(options.limit);
  if (options.after !== undefined) query = query.where("deliveries.event_id", ">", options.after);
  if (options.reason !== undefined) query = query.where("reason", "=", options.reason);
  return (await query.execute()).map((row) => ({
    eventId: row.event_id,
    subject: row.subject,
    attempts: row.attempts,
    uncertain: row.uncertain,
    reason: row.reason,
    heldAt: row.updated_at,
    heldUntil: row.next_try_at,
  }));
};
