import { comparisonKey, keyOfAddress, nameKey } from "../comparison-key.ts";
import { type Database, statement } from "../connection.ts";
import { SQL_FINAL } from "../ledger/states.ts";
import { withStep } from "../ledger/timeline.ts";
import { isUuid } from "../uuid.ts";
import { NOT_ME } from "./disown.ts";

/** The result of an erasure: counts and ids, no personal data. */
export interface Erasure {
  readonly userId: string;
  readonly userDeleted: boolean;
  readonly idempotencyKeysDeleted: number;
  readonly suppressionsDeleted: number;
  /** Limits on asking for a confirmation mail, by the hash of the address. */
  readonly confirmationRequestsDeleted: number;
  /** Event ids of unfinished deliveries that are now `cancelled`; once for each group. */
  readonly cancelled: readonly string[];
  /** Deliveries whose `reply` was deleted. The rows stay: they hold only ids and states. */
  readonly deliveriesKept: number;
}

interface ErasureRow {
  readonly user_id: string;
  readonly user_deleted: boolean;
  readonly keys_deleted: number;
  readonly suppressions_deleted: number;
  readonly requests_deleted: number;
  readonly cancelled: readonly string[];
  readonly kept: number;
}

/**
 * One statement, so that no attempt can start between cancelling the work and deleting the user. $1 user id.
 *
 * The ledger's rows are locked first, in the order of their key, as everywhere. An active delivery is cancelled, too: its
 * owner cannot renew its lease and gives up, or is past its commit point and then records `done`. Outbox rows stay: their
 * entries are acked as cancelled, and locking them here could deadlock with a relay. A suppression that the owner of the address asked
 * for stays: the user was somebody else, and could sign up again.
 */
const erase = statement<ErasureRow, [string]>(`
  with locked as (
    select deliveries.*, deliveries.state not in (${SQL_FINAL}) as is_open
    from deliveries join events using (event_id) where events.subject = $1::uuid::text
    order by deliveries.event_id, deliveries.group_name for update of deliveries),
  cleared as (
    update deliveries set
      reply = null,
      bounce_reply = null,
      state = case when is_open then 'cancelled' else deliveries.state end,
      reason = case when is_open then 'user_erased' else deliveries.reason end,
      next_try_at = case when is_open then null else deliveries.next_try_at end,
      lease_until = case when is_open then null else deliveries.lease_until end,
      updated_at = case when is_open then now() else deliveries.updated_at end,
      timeline = case when is_open
        then ${withStep("locked", { state: "'cancelled'", by: "'ops'", reason: "'user_erased'" })}
        else deliveries.timeline end
    from locked
    where deliveries.event_id = locked.event_id and deliveries.group_name = locked.group_name
    returning deliveries.event_id, is_open),
  keys as (
    delete from idempotency_keys where user_id = $1::uuid returning 1),
  gone as (
    delete from users where id = $1::uuid returning email_key),
  lifted as (
    delete from suppressions using gone
    where suppressions.email_key = gone.email_key and suppressions.reason <> '${NOT_ME}' returning 1),
  forgotten as (
    delete from confirmation_requests using gone
    where confirmation_requests.address_hash = sha256(convert_to(gone.email_key, 'UTF8')) returning 1),
  attempts as (
    delete from password_attempts using gone
    where password_attempts.address_hash = sha256(convert_to(gone.email_key, 'UTF8'))),
  repetitions as (
    delete from repeated_signups using gone where repeated_signups.email_key = gone.email_key),
  names as (
    delete from held_names where user_id = $1::uuid)
  select $1::uuid as user_id, exists (select 1 from gone) as user_deleted,
    (select count(*)::int from keys) as keys_deleted,
    (select count(*)::int from lifted) as suppressions_deleted,
    (select count(*)::int from forgotten) as requests_deleted,
    (select count(*)::int from cleared) as kept,
    coalesce((select json_agg(event_id order by event_id) from cleared where is_open), '[]'::json) as cancelled`);

/**
 * The users that a text matches: an id, an address or a user name. An id needs no row in `users`, because the ledger
 * outlives it. More than one if the name of one is the address of another.
 */
export const findUserIds = async (db: Database, text: string): Promise<readonly string[]> => {
  const wanted = text.trim();
  const key = comparisonKey(wanted);
  const rows = await db
    .selectFrom("users")
    .select("id")
    .where((where) =>
      where.or([
        where("email_key", "=", keyOfAddress(wanted)),
        where("user_name_key", "in", [key, nameKey(wanted)]),
        ...(isUuid(wanted) ? [where("id", "=", wanted)] : []),
      ]),
    )
    .execute();
  if (rows.length > 0 || !isUuid(wanted)) return rows.map((row) => row.id);
  const left = await db
    .selectFrom("events")
    .select("subject")
    .where("subject", "=", wanted.toLowerCase())
    .limit(1)
    .execute();
  return left.map((row) => row.subject);
};

/**
 * Erases a user: the row, its idempotency keys, suppression (unless its owner asked for it) and limits of its address, and
 * unfinished deliveries.
 */
export const eraseUser = async (db: Database, userId: string): Promise<Erasure> => {
  const [row] = await erase(db, userId);
  if (row === undefined) throw new Error("the erasure returned no row");
  return {
    userId: row.user_id,
    userDeleted: row.user_deleted,
    idempotencyKeysDeleted: row.keys_deleted,
    suppressionsDeleted: row.suppressions_deleted,
    confirmationRequestsDeleted: row.requests_deleted,
    cancelled: row.cancelled,
    deliveriesKept: row.kept,
  };
};
