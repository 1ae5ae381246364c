import { comparisonKey } from "./comparison-key.ts";
import { type Database, statement } from "./connection.ts";
import { isUuid } from "./uuid.ts";

/** What an erasure did. Counts and ids: no personal data. */
export interface Erasure {
  readonly userId: string;
  readonly userDeleted: boolean;
  readonly idempotencyKeysDeleted: number;
  readonly suppressionsDeleted: number;
  /** Event ids of the mails that were unsent, and are `cancelled` now. */
  readonly cancelled: readonly string[];
  /** Ledger rows whose `server_reply` was taken out. They stay: they hold ids and states alone. */
  readonly ledgerRowsKept: number;
}

interface ErasureRow {
  readonly user_id: string;
  readonly user_deleted: boolean;
  readonly keys_deleted: number;
  readonly suppressions_deleted: number;
  readonly cancelled: readonly string[];
  readonly kept: number;
}

/**
 * One statement, so that no mail can start between the cancelling and the user's going. $1 user id.
 *
 * The ledger's rows are locked first, in their order, as everywhere. One that is being sent is cancelled too: its sender
 * cannot renew its lease and closes the connection, or has the mail out already and then says so ("sent" is true whoever
 * says it). Outbox rows stay: what they publish is acked as cancelled, and locking them here could deadlock with a relay.
 */
const erase = statement<ErasureRow, [string]>(`
  with locked as (
    select event_id, state from emails where user_id = $1::uuid order by event_id for update),
  cleared as (
    update emails set
      server_reply = null,
      state = case when is_open then 'cancelled' else emails.state end,
      reason = case when is_open then 'user_erased' else emails.reason end,
      next_try_at = case when is_open then null else emails.next_try_at end,
      lease_until = case when is_open then null else emails.lease_until end,
      updated_at = case when is_open then now() else emails.updated_at end,
      timeline = case when is_open then
        (case when jsonb_array_length(emails.timeline) > 49 then emails.timeline - 0 else emails.timeline end)
          || jsonb_build_array(jsonb_build_object('at', now(), 'state', 'cancelled', 'by', 'ops', 'reason', 'user_erased'))
        else emails.timeline end
    from (select event_id, state not in ('sent', 'dead', 'suppressed', 'cancelled') as is_open from locked) as locked
    where emails.event_id = locked.event_id
    returning emails.event_id, is_open),
  keys as (
    delete from idempotency_keys where user_id = $1::uuid returning 1),
  gone as (
    delete from users where id = $1::uuid returning email_key),
  lifted as (
    delete from suppressions using gone where suppressions.email_key = gone.email_key returning 1)
  select $1::uuid as user_id, exists (select 1 from gone) as user_deleted,
    (select count(*)::int from keys) as keys_deleted,
    (select count(*)::int from lifted) as suppressions_deleted,
    (select count(*)::int from cleared) as kept,
    coalesce((select json_agg(event_id order by event_id) from cleared where is_open), '[]'::json) as cancelled`);

/**
 * The user whom a text means: an id, an address or a user name. An id is taken as it is, for the ledger may know it longer
 * than `users` does. More than one if one's name is another's address.
 */
export const findUserIds = async (db: Database, text: string): Promise<readonly string[]> => {
  const wanted = text.trim();
  const key = comparisonKey(wanted);
  const rows = await db
    .selectFrom("users")
    .select("id")
    .where((where) =>
      where.or([
        where("email_key", "=", key),
        where("user_name_key", "=", key),
        ...(isUuid(wanted) ? [where("id", "=", wanted)] : []),
      ]),
    )
    .execute();
  if (rows.length > 0 || !isUuid(wanted)) return rows.map((row) => row.id);
  const left = await db.selectFrom("emails").select("user_id").where("user_id", "=", wanted).limit(1).execute();
  return left.map((row) => row.user_id);
};

/** Erases a user: the row, the keys of their requests, the address on the list of suppressed ones, and unsent mail. */
export const eraseUser = async (db: Database, userId: string): Promise<Erasure> => {
  const [row] = await erase(db, userId);
  if (row === undefined) throw new Error("the erasure answered nothing");
  return {
    userId: row.user_id,
    userDeleted: row.user_deleted,
    idempotencyKeysDeleted: row.keys_deleted,
    suppressionsDeleted: row.suppressions_deleted,
    cancelled: row.cancelled,
    ledgerRowsKept: row.kept,
  };
};
