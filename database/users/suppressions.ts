import { comparisonKey } from "../comparison-key.ts";
import { type Database, statement } from "../connection.ts";

/** An address to which nothing is sent. */
export interface Suppression {
  /** `comparisonKey` of the address. */
  readonly addressKey: string;
  readonly reason: string;
  /** The event whose mail was refused. */
  readonly eventId: string;
  readonly createdAt: Date;
}

const suppress = statement<never, [string, string, string]>(`
  insert into suppressions (email_key, reason, event_id) values ($1::text, $2::text, $3::uuid) on conflict do nothing`);

/** Suppresses an address: no more mails are sent to it. `addressKey`: `comparisonKey` of the address. */
export const suppressAddress = async (
  db: Database,
  { addressKey, reason, eventId }: Omit<Suppression, "createdAt">,
): Promise<void> => {
  await suppress(db, addressKey, reason, eventId);
};

/** Suppressions, latest first, at most `limit`. */
export const listSuppressions = async (db: Database, limit: number): Promise<readonly Suppression[]> => {
  const rows = await db
    .selectFrom("suppressions")
    .selectAll()
    .orderBy("created_at", "desc")
    .orderBy("email_key")
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    addressKey: row.email_key,
    reason: row.reason,
    eventId: row.event_id,
    createdAt: row.created_at,
  }));
};

/** Lifts the suppression of an address, compared as at signup: mails are sent to it again. False if there was none. */
export const liftSuppression = async (db: Database, address: string): Promise<boolean> => {
  const lifted = await db
    .deleteFrom("suppressions")
    .where("email_key", "=", comparisonKey(address.trim()))
    .returning("email_key")
    .execute();
  return lifted.length > 0;
};
