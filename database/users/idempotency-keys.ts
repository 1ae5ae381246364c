import { sql } from "kysely";
import { type Database, statement } from "../connection.ts";

/** The signup made under an Idempotency-Key: enough to recognise the same request, and to answer it again. */
export interface KeyedSignup {
  readonly userId: string;
  readonly eventId: string;
  readonly userName: string;
  readonly email: string;
  readonly locale: string;
  readonly passwordHash: string;
  readonly createdAt: Date;
  readonly isVerified: boolean;
}

/** The signup made under a key within the last 24 hours. `keyHash`: SHA-256 of the key, in hex. */
export const findByIdempotencyKey = async (db: Database, keyHash: string): Promise<KeyedSignup | undefined> => {
  const row = await db
    .selectFrom("idempotency_keys")
    .innerJoin("users", "users.id", "idempotency_keys.user_id")
    .select(["users.id", "idempotency_keys.event_id", "user_name", "email", "locale", "password_hash"])
    .select(["users.created_at", "email_verified_at"])
    .where("key_hash", "=", Buffer.from(keyHash, "hex"))
    .where("idempotency_keys.created_at", ">", sql<Date>`now() - interval '24 hours'`)
    .executeTakeFirst();
  return row === undefined
    ? undefined
    : {
        userId: row.id,
        eventId: row.event_id,
        userName: row.user_name,
        email: row.email,
        locale: row.locale,
        passwordHash: row.password_hash,
        createdAt: row.created_at,
        isVerified: row.email_verified_at !== null,
      };
};

const remove = statement<{ key_hash: Buffer }, [number]>(`
  delete from idempotency_keys where key_hash in (
    select key_hash from idempotency_keys where created_at < now() - interval '24 hours'
    order by created_at limit $1::int for update skip locked)
  returning key_hash`);

/** Deletes Idempotency-Keys that are older than a day, at most `limit`; returns how many. */
export const deleteExpiredKeys = async (db: Database, limit: number): Promise<number> =>
  (await remove(db, limit)).length;
