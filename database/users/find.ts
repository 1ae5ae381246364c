import { keyOfAddress, nameKey } from "../comparison-key.ts";
import { type Database, statement } from "../connection.ts";
import type { DeliveryState } from "../ledger/states.ts";
import type { TimelineStep } from "../ledger/timeline.ts";
import { isUuid, SQL_UUID } from "../uuid.ts";
import { findMailboxReasons } from "./suppressions.ts";

/** A user, with the deliveries of all events about them. Contains personal data. */
export interface FoundUser {
  /** The user's id; for an event about something else, its subject. */
  readonly userId: string;
  /** null: there is no such user, or it was erased. */
  readonly userName: string | null;
  readonly email: string | null;
  /** Reason of the suppression of the address; null: not suppressed. */
  readonly suppressed: string | null;
  /** When the owner of the address said that they did not sign up; null: they did not say so. */
  readonly disownedAt: Date | null;
  /** Latest event first; deliveries of one event by group. */
  readonly deliveries: readonly FoundDelivery[];
}

export interface FoundDelivery {
  readonly group: string;
  readonly eventId: string;
  readonly type: string;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly uncertain: number;
  readonly systemFailures: number;
  readonly nextTryAt: Date | null;
  readonly leaseUntil: Date | null;
  readonly reason: string | null;
  readonly reply: string | null;
  readonly receipt: string | null;
  /** When it was reported that the mail did not arrive, or was not wanted, after it had been accepted. */
  readonly bouncedAt: Date | null;
  /** What was reported then: `bounced 5.1.1`, `complained`. */
  readonly bounce: string | null;
  /** In whose words, addresses removed. */
  readonly bounceReply: string | null;
  readonly traceparent: string;
  /** Whether the event is still in the outbox, not known to be in the stream. */
  readonly inOutbox: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** Oldest first. */
  readonly timeline: readonly TimelineStep[];
}

interface FoundRow {
  readonly found_subject: string;
  readonly user_name: string | null;
  readonly email: string | null;
  readonly suppressed: string | null;
  readonly disowned_at: Date | null;
  readonly group_name: string | null;
  readonly event_id: string;
  readonly type: string;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly uncertain: number;
  readonly system_failures: number;
  readonly next_try_at: Date | null;
  readonly lease_until: Date | null;
  readonly reason: string | null;
  readonly reply: string | null;
  readonly receipt: string | null;
  readonly bounced_at: Date | null;
  readonly bounce: string | null;
  readonly bounce_reply: string | null;
  readonly traceparent: string;
  readonly in_outbox: boolean;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly timeline: readonly TimelineStep[];
}

/** The latest events, of which a trace is looked for: no index has them by it, since every signup would pay for one. */
const TRACED_EVENTS = 200_000;
const TRACE_ID = /^[0-9a-f]{32}$/i;

/**
 * $1 the text as a UUID or null, $2 as the key of an address, $3 maximum rows, $4 as a key of a name (older rows have $2), $5 as a
 * trace id or null. The ledger outlives the user.
 */
const find = statement<FoundRow, [string | null, string, number, string, string | null]>(`
  with wanted as (
    select id::text as subject, id as user_id from users 
      where id = $1::uuid or email_key = $2::text or user_name_key in ($2::text, $4::text)
    union
    select subject, case when subject ~ ${SQL_UUID} then subject::uuid end
    from events where event_id = $1::uuid or subject = $1::uuid::text
    union
    select subject, case when subject ~ ${SQL_UUID} then subject::uuid end
    from (select subject, traceparent from events where $5::text is not null order by event_id desc limit ${TRACED_EVENTS}) as latest
    where substr(traceparent, 4, 32) = $5::text)
  select wanted.subject as found_subject, users.user_name, users.email, users.disowned_at, deliveries.*, events.type, events.traceparent,
    (select suppressions.reason from suppressions where suppressions.email_key = users.email_key) as suppressed,
    exists (select 1 from outbox where outbox.event_id = events.event_id) as in_outbox
  from wanted left join users on users.id = wanted.user_id
    left join (events join deliveries using (event_id)) on events.subject = wanted.subject
  order by deliveries.event_id desc, deliveries.group_name limit $3::int`);

const toDelivery = (row: FoundRow): FoundDelivery[] =>
  row.group_name === null
    ? []
    : [
        {
          group: row.group_name,
          eventId: row.event_id,
          type: row.type,
          state: row.state,
          attempts: row.attempts,
          uncertain: row.uncertain,
          systemFailures: row.system_failures,
          nextTryAt: row.next_try_at,
          leaseUntil: row.lease_until,
          reason: row.reason,
          reply: row.reply,
          receipt: row.receipt,
          bouncedAt: row.bounced_at,
          bounce: row.bounce,
          bounceReply: row.bounce_reply,
          traceparent: row.traceparent,
          inOutbox: row.in_outbox,
          createdAt: row.created_at,
          updatedAt: row.updated_at,
          timeline: row.timeline,
        },
      ];

/**
 * Users by event id, user id, trace id, address or user name; addresses and names compared as at signup. Latest first, at most
 * `limit` deliveries. A trace is found among the latest 200,000 events. An erased user is still found by user id and by event id.
 */
export const findUsers = async (db: Database, text: string, limit: number): Promise<readonly FoundUser[]> => {
  const wanted = text.trim();
  const uuid = isUuid(wanted) ? wanted : null;
  const traceId = TRACE_ID.test(wanted) ? wanted.toLowerCase() : null;
  const rows = await find(db, uuid, keyOfAddress(wanted), limit, nameKey(wanted), traceId);
  const open = rows.flatMap(({ email, suppressed }) => (email === null || suppressed !== null ? [] : [email]));
  const mailboxes = await findMailboxReasons(db, open);
  return [...Map.groupBy(rows, (row) => row.found_subject)].map(([subject, ofUser]) => {
    const [user] = ofUser;
    const email = user?.email ?? null;
    return {
      userId: subject,
      userName: user?.user_name ?? null,
      email,
      suppressed: user?.suppressed ?? mailboxes.get(email ?? "") ?? null,
      disownedAt: user?.disowned_at ?? null,
      deliveries: ofUser.flatMap(toDelivery),
    };
  });
};
