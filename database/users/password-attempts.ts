import { createHash } from "node:crypto";
import { type Database, statement } from "../connection.ts";
import { createAwaitRow, sqlLockTimeout } from "../lock-timeout.ts";

/** Somebody who presents the password of an address. */
export interface Presenter {
  /** `comparisonKey` of the address. */
  readonly emailKey: string;
  /** Whom the caller presents the password for; undefined: it does not say, and all of these are one. */
  readonly client: string | undefined;
}

/** Who has an address, and with which password, as far as an attempt is allowed. */
export type PasswordAttempt =
  | { readonly kind: "allowed"; readonly user: PasswordHolder | undefined }
  | { readonly kind: "too_many"; readonly retryAfterMs: number };

export interface PasswordHolder {
  readonly userId: string;
  /** argon2id, PHC string. */
  readonly passwordHash: string;
  readonly isVerified: boolean;
  /** Whether the owner of the address has said that they did not sign up. */
  readonly isDisowned: boolean;
}

interface AttemptRow {
  readonly is_allowed: boolean;
  readonly wait_ms: number;
  readonly id: string | null;
  readonly password_hash: string | null;
  readonly is_verified: boolean;
  readonly is_disowned: boolean;
}

/** After so much quiet, attempts begin anew. */
const QUIET = "interval '1 hour'";
/** So long a client that was right is no stranger. */
const KNOWN_FOR = "interval '30 days'";

/** How attempts are slowed down: each after the free ones doubles the wait for the next, from 1 s up to the longest. */
const OF_CLIENT = { free: 4, longestS: 900 };
const OF_ADDRESS = { free: 49, longestS: 60 };

/** In the past: a statement that waited for the row began earlier than the one that it waited for. */
const UNBLOCKED = "now() - interval '1 second'";
const FIRST = `1, ${UNBLOCKED}, now() + 2 * ${QUIET}`;
const IS_OVER = `attempted.blocked_until <= now() - ${QUIET}`;

/** SQL: counts one more, unless there is a wait. */
const sqlCount = ({
  free,
  longestS,
}: typeof OF_CLIENT): string => `on conflict (address_hash, client_hash) do update set
      attempts = case when ${IS_OVER} then 1 else attempted.attempts + 1 end,
      blocked_until = case when ${IS_OVER} or attempted.attempts < ${free} then ${UNBLOCKED}
        else now() + interval '1 second' * least(${longestS}, power(2, least(attempted.attempts - ${free}, 20))) end,
      expires_at = greatest(attempted.expires_at, now() + 2 * ${QUIET})
    where attempted.blocked_until <= now()
    returning attempts`;

const ALL_CLIENTS = "''::bytea";

/**
 * $1 hash of the address, $2 of the client, in hex, $3 `comparisonKey` of the address. The client's own wait comes first, so that who
 * has to wait lets nobody else wait. The same rows are written and read whether somebody has the address or not.
 */
const count = statement<AttemptRow, [string, string, string, number]>(`
  with input as (
    select decode($1::text, 'hex') as address, decode($2::text, 'hex') as client
    where ${sqlLockTimeout("$4")}),
  known as (
    select 1 from password_attempts join input on address_hash = address and client_hash = client
    where succeeded_at > now() - ${KNOWN_FOR}),
  waits as (
    select client_hash, blocked_until from password_attempts join input on address_hash = address
    where blocked_until > now()
      and (client_hash = client or client_hash = ${ALL_CLIENTS} and not exists (select 1 from known))),
  of_client as (
    insert into password_attempts as attempted (address_hash, client_hash, attempts, blocked_until, expires_at)
    select address, client, ${FIRST} from input where not exists (select 1 from waits)
    ${sqlCount(OF_CLIENT)}),
  of_address as (
    insert into password_attempts as attempted (address_hash, client_hash, attempts, blocked_until, expires_at)
    select address, ${ALL_CLIENTS}, ${FIRST} from input
    where exists (select 1 from of_client) and not exists (select 1 from known)
    ${sqlCount(OF_ADDRESS)})
  select exists (select 1 from of_client) and (exists (select 1 from known) or exists (select 1 from of_address)) as is_allowed,
    coalesce((select extract(epoch from max(blocked_until) - now()) from waits), 0)::float8 * 1000 as wait_ms,
    users.id, users.password_hash, users.email_verified_at is not null as is_verified,
    users.disowned_at is not null as is_disowned
  from input left join users on users.email_key = $3::text`);

const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex");
const hashesOf = ({ emailKey, client = "" }: Presenter): [string, string] => [hashOf(emailKey), hashOf(client)];

const toAttempt = (row: AttemptRow | undefined): PasswordAttempt => {
  if (row === undefined) throw new Error("an attempt was not counted");
  if (!row.is_allowed) return { kind: "too_many", retryAfterMs: row.wait_ms };
  const { id, password_hash: passwordHash, is_verified: isVerified, is_disowned: isDisowned } = row;
  return {
    kind: "allowed",
    user: id === null || passwordHash === null ? undefined : { userId: id, passwordHash, isVerified, isDisowned },
  };
};

const forgive = statement<never, [string, string, number]>(`
  update password_attempts set attempts = 0, blocked_until = ${UNBLOCKED}, succeeded_at = now(), expires_at = now() + ${KNOWN_FOR}
  where address_hash = decode($1::text, 'hex') and client_hash = decode($2::text, 'hex')
    and ${sqlLockTimeout("$3")}`);

const replace = statement<{ id: string }, [string, string, string, number]>(`
  update users set password_hash = $3::text where id = $1::uuid and password_hash = $2::text
    and ${sqlLockTimeout("$4")} returning id`);

/** Attempts at passwords. Each rejects with the driver's error; with `RowLocked`'s code if somebody else has locked the row. */
export interface PasswordAttempts {
  /**
   * Counts an attempt before it is made, so that many at once cannot pass together. Of one client at one address five are free, then
   * each has to wait longer, up to 15 minutes; of all clients at one address 50, then up to a minute, which spares a client that was
   * right within 30 days: so nobody locks a person out of where that person logs in.
   */
  count(presenter: Presenter): Promise<PasswordAttempt>;
  /** Forgets a client's attempts at an address after one that succeeded, and remembers that it did. */
  forgive(presenter: Presenter): Promise<void>;
  /** Replaces the hash of a password, unless it was replaced meanwhile; whether it was. */
  replaceHash(change: { readonly userId: string; readonly from: string; readonly to: string }): Promise<boolean>;
}

export const createPasswordAttempts = (db: Database): PasswordAttempts => {
  const awaitRow = createAwaitRow();
  return {
    count: async (presenter) =>
      toAttempt((await awaitRow((lockMs) => count(db, ...hashesOf(presenter), presenter.emailKey, lockMs)))[0]),
    forgive: async (presenter) => {
      await awaitRow((lockMs) => forgive(db, ...hashesOf(presenter), lockMs));
    },
    replaceHash: async ({ userId, from, to }) =>
      (await awaitRow((lockMs) => replace(db, userId, from, to, lockMs))).length > 0,
  };
};

const remove = statement<{ expires_at: Date }, [number]>(`
  delete from password_attempts where (address_hash, client_hash) in (
    select address_hash, client_hash from password_attempts where expires_at < now()
    order by expires_at limit $1::int for update skip locked)
  returning expires_at`);

/** Deletes attempts that no longer say anything, at most `limit`; returns how many. */
export const deleteOldAttempts = async (db: Database, limit: number): Promise<number> =>
  (await remove(db, limit)).length;
