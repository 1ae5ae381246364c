import { type Database, statement } from "../connection.ts";

const find = statement<{ readonly event_id: string }, [readonly string[]]>(`
  select events.event_id
  from (select value::uuid as event_id from json_array_elements_text($1::json)) as wanted
  join events on events.event_id = wanted.event_id
  join users on users.id::text = events.subject
  join suppressions on suppressions.email_key = users.email_key`);

/** Those of the events whose subject is a user with a suppressed address. */
export const findSuppressedEvents = async (db: Database, eventIds: readonly string[]): Promise<ReadonlySet<string>> =>
  new Set(eventIds.length === 0 ? [] : (await find(db, eventIds)).map((row) => row.event_id));
