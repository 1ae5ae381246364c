import { type Database, statement } from "../connection.ts";
import { findSuppressedMailboxes } from "./suppressions.ts";

interface Row {
  readonly event_id: string;
  readonly email: string;
  readonly is_suppressed: boolean;
}

const find = statement<Row, [readonly string[]]>(`
  select events.event_id, users.email,
    exists (select 1 from suppressions where suppressions.email_key = users.email_key) as is_suppressed
  from (select value::uuid as event_id from json_array_elements_text($1::json)) as wanted
  join events on events.event_id = wanted.event_id
  join users on users.id::text = events.subject`);

/** Those of the events whose subject is a user with a suppressed address. */
export const findSuppressedEvents = async (db: Database, eventIds: readonly string[]): Promise<ReadonlySet<string>> => {
  if (eventIds.length === 0) return new Set();
  const rows = await find(db, eventIds);
  const open = rows.filter((row) => !row.is_suppressed);
  const mailboxes = await findSuppressedMailboxes(
    db,
    open.map(({ email }) => email),
  );
  return new Set(rows.filter((row) => row.is_suppressed || mailboxes.has(row.email)).map((row) => row.event_id));
};
