import { canonicalMailbox } from "../../runtime/mailbox.ts";
import { type Database, statement } from "../connection.ts";
import { createAwaitRow, sqlLockTimeout } from "../lock-timeout.ts";

/** Reason of the suppression of an address whose owner did not sign up. */
export const NOT_ME = "not_me";

/** `disowned`: by this very call. */
export type DisownResult = "disowned" | "disowned_before" | "no_such_user";

export type Disown = (db: Database, userId: string) => Promise<DisownResult>;

const addressOf = statement<{ email: string }, [string]>("select email from users where id = $1::uuid");

/**
 * $1 user id, $2 `canonicalMailbox` of its address, which never changes: whoever signs up others signs up the same mailbox in other
 * spellings. The user's row is the guard: of two calls at the same time, the second finds the account disowned. The mailbox is
 * suppressed each time, since an operator may have lifted that meanwhile, and whatever it was suppressed for before: an erasure, or a
 * mailbox that exists again, lifts another reason, and not this one. With the event of the signup, as the mails that are refused
 * have theirs.
 */
const disownOnce = statement<{ was_disowned: boolean }, [string, string, number]>(`
  with input as (
    select $1::uuid as id where ${sqlLockTimeout("$3")}),
  locked as (
    select users.id, users.disowned_at from users join input using (id) for update of users),
  marked as (
    update users set disowned_at = now() from locked where users.id = locked.id and locked.disowned_at is null),
  suppressed as (
    insert into suppressions (email_key, reason, event_id)
    select $2::text, '${NOT_ME}', coalesce(
      (select event_id from events where events.subject = locked.id::text order by event_id limit 1), locked.id)
    from locked
    on conflict (email_key) do update set reason = '${NOT_ME}', event_id = excluded.event_id, created_at = now())
  select disowned_at is not null as was_disowned from locked`);

const disownedAt = statement<{ is_disowned: boolean }, [string]>(`
  select disowned_at is not null as is_disowned from users where id = $1::uuid`);

/** Whether the owner of a user's address has said that they did not sign up; undefined: there is no such user. */
export const isDisowned = async (db: Database, userId: string): Promise<boolean | undefined> =>
  (await disownedAt(db, userId))[0]?.is_disowned;

/** Marks an account as not made by the owner of its address, and suppresses that mailbox: one statement, or nothing. */
export const createDisown = (): Disown => {
  const awaitRow = createAwaitRow();
  return async (db, userId) => {
    const [user] = await addressOf(db, userId);
    if (user === undefined) return "no_such_user";
    const mailbox = canonicalMailbox(user.email);
    const [row] = await awaitRow((lockTimeoutMs) => disownOnce(db, userId, mailbox, lockTimeoutMs));
    if (row === undefined) return "no_such_user";
    return row.was_disowned ? "disowned_before" : "disowned";
  };
};
