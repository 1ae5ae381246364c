import { type Database, statement } from "./connection.ts";
import type { OutboxEvent } from "./outbox.ts";

const take = statement<OutboxEvent, [string, number, number]>(`
  with lost as (
    select event_id from emails
    where template = $1::text and state in ('queued', 'sending', 'retrying', 'uncertain')
      and published_at < now() - $2::float8 * interval '1 ms'
      and greatest(published_at, next_try_at, lease_until) < now() - $2::float8 * interval '1 ms'
      and not exists (select 1 from outbox where outbox.event_id = emails.event_id)
    order by published_at, event_id limit $3::int for update skip locked)
  update emails set published_at = now(),
    timeline = (case when jsonb_array_length(timeline) > 49 then timeline - 0 else timeline end)
      || jsonb_build_array(jsonb_build_object('at', now(), 'state', state, 'reason', 'reconciled'))
  from lost where emails.event_id = lost.event_id
  returning emails.event_id, user_id, locale, traceparent, tracestate, created_at`);

/**
 * Takes the mails that their group has overtaken by `overtakenByMs`: unfinished, not in the outbox, and neither published
 * nor due nor leased since. Oldest first; taking sets `published_at`, so that two api processes never take the same.
 */
export const takeLostEmails = (
  db: Database,
  options: { readonly template: string; readonly overtakenByMs: number; readonly limit: number },
): Promise<readonly OutboxEvent[]> => take(db, options.template, options.overtakenByMs, options.limit);
