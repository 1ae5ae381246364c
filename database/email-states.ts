import { type Database, statement } from "./connection.ts";
import type { EmailState } from "./email-state.ts";

const states = statement<{ event_id: string; state: EmailState }, [readonly string[], string]>(`
  select event_id, state from emails
  where event_id in (select value::uuid from json_array_elements_text($1::json)) and template = $2::text`);

/** The state of each event's mail; ids without a row of the template are missing in the answer. */
export const findEmailStates = async (
  db: Database,
  eventIds: readonly string[],
  template: string,
): Promise<ReadonlyMap<string, EmailState>> =>
  eventIds.length === 0
    ? new Map()
    : new Map((await states(db, eventIds, template)).map((row) => [row.event_id, row.state]));
