import { type Database, statement } from "../connection.ts";
import type { DeliveryName } from "./return-path.ts";

/** By what a report may name a delivery. */
export type Reported =
  | { readonly by: "message-id"; readonly messageId: string }
  /** `key`: `keyOfAddress`. */
  | { readonly by: "recipient"; readonly key: string };

interface InputRow {
  readonly item: number;
  readonly event_id: string | null;
  readonly receipt: string | null;
  readonly email_key: string | null;
}

/** Each delivery has the Message-ID of its mail as its receipt; of a recipient, the mail that was accepted last is meant. */
const find = statement<{ item: number; event_id: string; group_name: string }, [readonly InputRow[]]>(`
  select input.item, found.event_id, found.group_name
  from json_to_recordset($1::json) as input (item int, event_id uuid, receipt text, email_key text)
  cross join lateral (
    select event_id, group_name from (
      (select event_id, group_name, updated_at from deliveries
        where deliveries.event_id = input.event_id and receipt = input.receipt)
      union all
      (select deliveries.event_id, group_name, deliveries.updated_at
        from users join events on events.subject = users.id::text join deliveries using (event_id)
        where users.email_key = input.email_key and deliveries.state = 'done' and receipt like '<%@%>')) as candidates
    order by updated_at desc limit 1) as found`);

const EVENT_ID = /^<([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\./i;

const toRow = (reported: Reported, item: number): InputRow => {
  const none = { item, event_id: null, receipt: null, email_key: null };
  if (reported.by === "recipient") return { ...none, email_key: reported.key };
  const id = EVENT_ID.exec(reported.messageId)?.[1];
  return id === undefined ? none : { ...none, event_id: id, receipt: reported.messageId };
};

/** Finds the deliveries that reports are about, in one statement; one result each, in their order. */
export const findReportedDeliveries = async (
  db: Database,
  reported: readonly Reported[],
): Promise<readonly (DeliveryName | undefined)[]> => {
  if (reported.length === 0) return [];
  const rows = new Map((await find(db, reported.map(toRow))).map((row) => [row.item, row]));
  return reported.map((_, item) => {
    const row = rows.get(item);
    return row === undefined ? undefined : { eventId: row.event_id, group: row.group_name };
  });
};
