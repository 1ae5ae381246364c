import { type Database, statement } from "./connection.ts";
import type { EmailState } from "./email-state.ts";
import type { OutboxEvent } from "./outbox.ts";

/** What an operator's "once more" found. Everything to make the event anew, should Redis not have it. */
export interface RequeuedEmail extends OutboxEvent {
  /** Before the statement. */
  readonly was: EmailState;
  /** Whether this very statement put it back to `queued`. */
  readonly requeued: boolean;
}

/**
 * $1 event ids, $2 template, $3 the state that it must be in, $4 reason for the timeline.
 *
 * Counters start afresh, and so does the age that MAIL_EXPIRE_AFTER_MS counts. `uncertain` stays: it bounds the twins
 * that there may be, and asks for the note of a sent mail before the next try.
 */
const requeue = statement<RequeuedEmail, [readonly string[], string, EmailState, string]>(`
  with input as (
    select distinct value::uuid as event_id from json_array_elements_text($1::json)),
  locked as (
    select emails.* from emails join input using (event_id) where template = $2::text
    order by emails.event_id for update of emails),
  requeued as (
    update emails set
      state = 'queued', reason = null, attempts = 0, system_failures = 0, next_try_at = null, lease_until = null,
      queued_at = now(), published_at = now(), updated_at = now(),
      timeline = (case when jsonb_array_length(emails.timeline) > 49 then emails.timeline - 0 else emails.timeline end)
        || jsonb_build_array(jsonb_build_object('at', now(), 'state', 'queued', 'by', 'ops', 'reason', $4::text))
    from locked where emails.event_id = locked.event_id and locked.state = $3::text
    returning emails.event_id)
  select event_id, user_id, locale, traceparent, tracestate, created_at, state as was,
    exists (select 1 from requeued where requeued.event_id = locked.event_id) as requeued
  from locked`);

/**
 * Puts mails back to `queued`, once each: of two operators who do the same at the same time, one is told `requeued`. Event
 * ids without a row of the template are missing in the answer.
 */
export const requeueEmails = (
  db: Database,
  eventIds: readonly string[],
  options: { readonly template: string; readonly from: "dead" | "held"; readonly reason: "redriven" | "released" },
): Promise<readonly RequeuedEmail[]> =>
  eventIds.length === 0 ? Promise.resolve([]) : requeue(db, eventIds, options.template, options.from, options.reason);
