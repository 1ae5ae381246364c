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

interface KeyedRow {
  readonly user_id: string;
  readonly event_id: string;
  readonly user_name: string;
  readonly email: string;
  readonly locale: string;
  readonly password_hash: string;
  readonly created_at: Date;
  readonly is_verified: boolean;
}

/** $1 the key's hash. A repeated signup is found as it was answered. */
const find = statement<KeyedRow, [string]>(`
  with known as (
    select user_id, event_id from idempotency_keys
    where key_hash = decode($1::text, 'hex') and created_at > now() - interval '24 hours')
  select known.*, user_name, email, locale, password_hash, created_at, email_verified_at is not null as is_verified
  from known join users on users.id = known.user_id
  union all
  select known.*, user_name, email, locale, password_hash, created_at, false
  from known join repeated_signups using (user_id, event_id)
  where password_hash is not null`);

/** The signup made under a key within the last 24 hours. `keyHash`: SHA-256 of the key, in hex. */
export const findByIdempotencyKey = async (db: Database, keyHash: string): Promise<KeyedSignup | undefined> => {
  const [row] = await find(db, keyHash);
  return row === undefined
    ? undefined
    : {
        userId: row.user_id,
        eventId: row.event_id,
        userName: row.user_name,
        email: row.email,
        locale: row.locale,
        passwordHash: row.password_hash,
        createdAt: row.created_at,
        isVerified: row.is_verified,
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
