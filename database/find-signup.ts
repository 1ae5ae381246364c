import { comparisonKey } from "./comparison-key.ts";
import { type Database, statement } from "./connection.ts";
import type { EmailState } from "./email-state.ts";
import type { TimelineStep } from "./schema.ts";
import { isUuid } from "./uuid.ts";

/** A signup as an operator asks for it: the mail, and its user unless erased. Holds personal data. */
export interface FoundSignup {
  readonly userId: string;
  /** null: there is no such user any more. */
  readonly userName: string | null;
  readonly email: string | null;
  /** null: the address is not on the list of suppressed ones. */
  readonly suppressed: string | null;
  /** null: the user has no mail in the ledger. */
  readonly mail: FoundMail | null;
}

export interface FoundMail {
  readonly eventId: string;
  readonly template: string;
  readonly locale: string;
  readonly state: EmailState;
  readonly attempts: number;
  readonly uncertain: number;
  readonly systemFailures: number;
  readonly nextTryAt: Date | null;
  readonly leaseUntil: Date | null;
  readonly reason: string | null;
  readonly serverReply: string | null;
  readonly messageId: string | null;
  readonly traceparent: string;
  /** Still in the outbox: not known to be in the stream. */
  readonly inOutbox: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** Oldest first. */
  readonly timeline: readonly TimelineStep[];
}

interface SignupRow {
  readonly found_user_id: string;
  readonly user_name: string | null;
  readonly email: string | null;
  readonly suppressed: string | null;
  readonly event_id: string | null;
  readonly template: string;
  readonly locale: string;
  readonly state: EmailState;
  readonly attempts: number;
  readonly uncertain: number;
  readonly system_failures: number;
  readonly next_try_at: Date | null;
  readonly lease_until: Date | null;
  readonly reason: string | null;
  readonly server_reply: string | null;
  readonly message_id: string | null;
  readonly traceparent: string;
  readonly in_outbox: boolean;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly timeline: readonly TimelineStep[];
}

/** $1 the text as a UUID or null, $2 as a comparison key, $3 most rows. The ledger outlives the user: full join. */
const find = statement<SignupRow, [string | null, string, number]>(`
  with wanted as (
    select id from users where id = $1::uuid or email_key = $2::text or user_name_key = $2::text
    union
    select user_id from emails where event_id = $1::uuid or user_id = $1::uuid)
  select wanted.id as found_user_id, users.user_name, users.email, emails.*,
    (select suppressions.reason from suppressions where suppressions.email_key = users.email_key) as suppressed,
    exists (select 1 from outbox where outbox.event_id = emails.event_id) as in_outbox
  from wanted left join users on users.id = wanted.id left join emails on emails.user_id = wanted.id
  order by emails.event_id desc limit $3::int`);

const toMail = (row: SignupRow): FoundMail | null =>
  row.event_id === null
    ? null
    : {
        eventId: row.event_id,
        template: row.template,
        locale: row.locale,
        state: row.state,
        attempts: row.attempts,
        uncertain: row.uncertain,
        systemFailures: row.system_failures,
        nextTryAt: row.next_try_at,
        leaseUntil: row.lease_until,
        reason: row.reason,
        serverReply: row.server_reply,
        messageId: row.message_id,
        traceparent: row.traceparent,
        inOutbox: row.in_outbox,
        createdAt: row.created_at,
        updatedAt: row.updated_at,
        timeline: row.timeline,
      };

/**
 * Signups by event id, user id, address or user name; addresses and names compared as signups are. The latest first. A
 * user who was erased is still found by either id.
 */
export const findSignups = async (db: Database, text: string, limit: number): Promise<readonly FoundSignup[]> => {
  const wanted = text.trim();
  const rows = await find(db, isUuid(wanted) ? wanted : null, comparisonKey(wanted), limit);
  return rows.map((row) => ({
    userId: row.found_user_id,
    userName: row.user_name,
    email: row.email,
    suppressed: row.suppressed,
    mail: toMail(row),
  }));
};
