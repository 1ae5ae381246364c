import { type Database, statement } from "./connection.ts";
import type { EmailState } from "./email-state.ts";

/** What a try made of a mail: one row of a batch. */
export interface Settlement {
  readonly event_id: string;
  readonly fence: number;
  readonly state: Exclude<EmailState, "sending">;
  /** Added to the counters. */
  readonly attempts: number;
  readonly system_failures: number;
  readonly uncertain: number;
  /** Delay of the next try in ms of Postgres' clock; null: none. */
  readonly delay_ms: number | null;
  readonly reason: string | null;
  /** Addresses removed. */
  readonly server_reply: string | null;
  readonly message_id: string | null;
  /** The address does not exist: nothing more is sent to it. */
  readonly suppress: boolean;
  readonly consumer: string;
}

/**
 * One statement per batch. Fenced: whoever lost the mail to a later claim changes nothing. But "sent" is true whoever
 * says it, for the mail is out.
 */
const settle = statement<{ event_id: string }, [readonly Settlement[]]>(`
  with input as (
    select distinct on (event_id) * from json_to_recordset($1::json) as row (
      event_id uuid, fence int, state text, attempts int, system_failures int, uncertain int, delay_ms float8,
      reason text, server_reply text, message_id text, suppress boolean, consumer text)
    order by event_id, (state = 'sent') desc, fence desc),
  locked as (
    select emails.event_id from emails join input using (event_id) order by emails.event_id for update of emails),
  settled as (
  update emails set
    state = input.state,
    lease_until = null,
    -- Handed back, its entry is put in line anew: the reconciler counts from here.
    published_at = case when input.state = 'queued' then now() else emails.published_at end,
    attempts = emails.attempts + input.attempts,
    system_failures = emails.system_failures + input.system_failures,
    uncertain = emails.uncertain + input.uncertain,
    next_try_at = now() + input.delay_ms * interval '1 ms',
    reason = input.reason,
    server_reply = coalesce(input.server_reply, emails.server_reply),
    message_id = coalesce(input.message_id, emails.message_id),
    updated_at = now(),
    timeline = (case when jsonb_array_length(emails.timeline) > 49 then emails.timeline - 0 else emails.timeline end)
      || jsonb_build_array(jsonb_strip_nulls(jsonb_build_object('at', now(), 'state', input.state, 'by', input.consumer,
        'reason', input.reason, 'attempt', nullif(emails.attempts + input.attempts, 0))))
  from input join locked using (event_id)
  where emails.event_id = input.event_id
    and ((input.state = 'sent' and emails.state <> 'sent')
      or (emails.state = 'sending' and emails.fence = input.fence))
  returning emails.event_id, emails.user_id, input.suppress, input.reason),
  suppressed as (
    insert into suppressions (email_key, reason, event_id)
    select users.email_key, settled.reason, settled.event_id
    from settled join users on users.id = settled.user_id where settled.suppress
    order by users.email_key
    on conflict do nothing)
  select event_id from settled`);

/** Writes outcomes to the ledger; one boolean per settlement: whether it took effect. */
export const settleEmails = async (db: Database, settlements: readonly Settlement[]): Promise<readonly boolean[]> => {
  const applied = new Set((await settle(db, settlements)).map((row) => row.event_id));
  return settlements.map((settlement) => applied.has(settlement.event_id));
};
