import { type Database, statement } from "../connection.ts";
import { findSuppressedMailboxes } from "./suppressions.ts";

/** A user as the recipient of a mail. */
export interface Recipient {
  readonly userId: string;
  readonly userName: string;
  readonly email: string;
  /** `comparisonKey(email)` */
  readonly emailKey: string;
  /** Whether the address, or its mailbox, is suppressed. */
  readonly isSuppressed: boolean;
  /** Whether the address is confirmed. */
  readonly isVerified: boolean;
}

interface RecipientRow {
  readonly id: string;
  readonly user_name: string;
  readonly email: string;
  readonly email_key: string;
  readonly is_suppressed: boolean;
  readonly is_verified: boolean;
}

const find = statement<RecipientRow, [readonly string[]]>(`
  select found.*, exists (select 1 from suppressions where suppressions.email_key = found.email_key) as is_suppressed
  from (select distinct value::uuid as id from json_array_elements_text($1::json)) as wanted
  cross join lateral (
    select id, user_name, email, email_key, email_verified_at is not null as is_verified
    from users where users.id = wanted.id limit 1) as found`);

/**
 * Looks users up, in one statement, and in a second one for those whose address is another spelling of its mailbox; ids without a user
 * are missing in the answer.
 */
export const findRecipients = async (db: Database, userIds: readonly string[]): Promise<Map<string, Recipient>> => {
  const rows = await find(db, userIds);
  const open = rows.filter((row) => !row.is_suppressed);
  const suppressed = await findSuppressedMailboxes(
    db,
    open.map(({ email }) => email),
  );
  return new Map(
    rows.map((row) => [
      row.id,
      {
        userId: row.id,
        userName: row.user_name,
        email: row.email,
        emailKey: row.email_key,
        isSuppressed: row.is_suppressed || suppressed.has(row.email),
        isVerified: row.is_verified,
      },
    ]),
  );
};
