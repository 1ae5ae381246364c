import { type Database, statement } from "../connection.ts";

/** Attempts at one address's password in a window, without one that succeeds. */
const MAX_ATTEMPTS = 10;
const WINDOW = "interval '15 minutes'";

/** Who has an address, and with which password, as far as another attempt is allowed. */
export type PasswordAttempt =
  | { readonly kind: "allowed"; readonly user: PasswordHolder | undefined }
  | { readonly kind: "too_many"; readonly retryAfterMs: number };

export interface PasswordHolder {
  readonly userId: string;
  /** argon2id, PHC string. */
  readonly passwordHash: string;
  readonly isVerified: boolean;
}

interface AttemptRow {
  readonly attempts: number;
  readonly left_ms: number;
  readonly id: string | null;
  readonly password_hash: string | null;
  readonly is_verified: boolean;
}

const HASH = "sha256(convert_to($1::text, 'UTF8'))";
const IS_OVER = `attempted.began_at <= now() - ${WINDOW}`;

/** $1 `comparisonKey` of the address. The same rows are written and read whether somebody has the address or not. */
const count = statement<AttemptRow, [string]>(`
  with counted as (
    insert into password_attempts as attempted (address_hash, began_at, attempts) values (${HASH}, now(), 1)
    on conflict (address_hash) do update set
      began_at = case when ${IS_OVER} then now() else attempted.began_at end,
      attempts = case when ${IS_OVER} then 1 else attempted.attempts + 1 end
    returning attempts, began_at)
  select attempts, greatest(0, extract(epoch from began_at + ${WINDOW} - now()))::float8 * 1000 as left_ms,
    users.id, users.password_hash, users.email_verified_at is not null as is_verified
  from counted left join users on users.email_key = $1::text`);

/**
 * Counts an attempt before it is made, so that many at once cannot pass together: at most ten in 15 minutes for one address.
 * `emailKey`: `comparisonKey` of the address.
 */
export const countPasswordAttempt = async (db: Database, emailKey: string): Promise<PasswordAttempt> => {
  const [row] = await count(db, emailKey);
  if (row === undefined) throw new Error("an attempt was not counted");
  if (row.attempts > MAX_ATTEMPTS) return { kind: "too_many", retryAfterMs: row.left_ms };
  const { id, password_hash: passwordHash, is_verified: isVerified } = row;
  return {
    kind: "allowed",
    user: id === null || passwordHash === null ? undefined : { userId: id, passwordHash, isVerified },
  };
};

const forget = statement<never, [string]>(`delete from password_attempts where address_hash = ${HASH}`);

/** Forgets the attempts at an address, after one that succeeded. */
export const forgetPasswordAttempts = async (db: Database, emailKey: string): Promise<void> => {
  await forget(db, emailKey);
};

const replace = statement<{ id: string }, [string, string, string]>(`
  update users set password_hash = $3::text where id = $1::uuid and password_hash = $2::text returning id`);

/** Replaces the hash of a password, unless it was replaced meanwhile; whether it was. */
export const replacePasswordHash = async (
  db: Database,
  change: { readonly userId: string; readonly from: string; readonly to: string },
): Promise<boolean> => (await replace(db, change.userId, change.from, change.to)).length > 0;

const remove = statement<{ began_at: Date }, [number]>(`
  delete from password_attempts where address_hash in (
    select address_hash from password_attempts where began_at < now() - ${WINDOW}
    order by began_at limit $1::int for update skip locked)
  returning began_at`);

/** Deletes attempts that no longer limit anything, at most `limit`; returns how many. */
export const deleteOldAttempts = async (db: Database, limit: number): Promise<number> =>
  (await remove(db, limit)).length;
