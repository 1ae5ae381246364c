import type { Database } from "./connection.ts";

/** A mail of which nobody knows whether it went out, and that waits for an operator (MAIL_UNCERTAIN=hold). */
export interface HeldEmail {
  readonly eventId: string;
  readonly userId: string;
  readonly attempts: number;
  readonly uncertain: number;
  readonly reason: string | null;
  readonly heldAt: Date;
}

/** Held mails by event id, those after `after` only, at most `limit`. */
export const listHeldEmails = async (
  db: Database,
  options: { readonly template: string; readonly limit: number; readonly after?: string | undefined },
): Promise<readonly HeldEmail[]> => {
  let query = db
    .selectFrom("emails")
    .select(["event_id", "user_id", "attempts", "uncertain", "reason", "updated_at"])
    .where("template", "=", options.template)
    .where("state", "=", "held")
    .orderBy("event_id")
    .limit(options.limit);
  if (options.after !== undefined) query = query.where("event_id", ">", options.after);
  return (await query.execute()).map((row) => ({
    eventId: row.event_id,
    userId: row.user_id,
    attempts: row.attempts,
    uncertain: row.uncertain,
    reason: row.reason,
    heldAt: row.updated_at,
  }));
};
