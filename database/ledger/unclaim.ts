import { type Database, statement } from "../connection.ts";
import { type LoggedEvent, SQL_LOGGED_EVENT } from "../events.ts";
import { SQL_FINAL } from "./states.ts";
import { withStep } from "./timeline.ts";

/** A claim under which nothing was begun: its answer was lost, or its lease ran out before the work's commit point. */
export interface UnbegunClaim {
  readonly event_id: string;
  readonly token: string;
}

/** Why a delivery is queued again, or its doubt taken back, for its timeline. */
export const NEVER_BEGUN = "never_begun";

/**
 * What became of it. `undone`: it held the delivery, which is queued now. `taken back`: a peer had taken the delivery over, and the doubt that counted is gone.
 * `requeued`: likewise, and because of that doubt alone it was held; it is queued now, and has no entry. `locked`: to be asked again. `none`: the
 * delivery knows nothing of it, by now.
 */
export type Unclaimed = "undone" | "taken back" | "requeued" | "locked" | "none";

export interface UnclaimedDelivery {
  readonly event_id: string;
  readonly result: Unclaimed;
  /** The delivery is final: the claim can have no effect any more. */
  readonly is_final: boolean;
}

/**
 * $1 claims, one of an event, $2 group, $3 consumer, $4 whether the group's effect is idempotent.
 *
 * The step of whoever took a claim over has the claim's token (`claim.ts`); what it led to is the next one, and the last. What this consumer has
 * queued again before is answered likewise: the answer to that was lost.
 */
const unclaim = statement<UnclaimedDelivery, [readonly UnbegunClaim[], string, string, boolean]>(`
  with input as (
    select * from json_to_recordset($1::json) as row (event_id uuid, token uuid)),
  locked as (
    select current.*, input.token from input cross join lateral (
      select * from deliveries where deliveries.event_id = input.event_id and group_name = $2::text
      limit 1 for update skip locked) as current),
  judged as (
    select locked.*, steps.doubts, steps.mended,
      state = 'active' and coalesce(claim_token = token, false) as is_claimed,
      coalesce(timeline -> -2 ->> 'claim' = token::text, false) as was_last,
      coalesce(state = 'queued' and timeline -> -2 ->> 'state' = 'held' and timeline -> -1 ->> 'reason' = '${NEVER_BEGUN}'
        and timeline -> -1 ->> 'by' = $3::text, false) as was_requeued
    from locked cross join lateral (
      select count(*) filter (where step ->> 'claim' = token::text)::int as doubts,
        jsonb_agg(case when step ->> 'claim' = token::text
          then step - 'claim' || '{"state": "queued", "reason": "${NEVER_BEGUN}"}' else step end order by place) as mended
      from jsonb_array_elements(timeline) with ordinality as element (step, place)) as steps),
  decided as (
    select event_id, state, doubts, was_last, is_claimed, mended as timeline, $4::boolean as is_idempotent,
      state = 'held' and reason = 'uncertain' and uncertain <= doubts as is_held
    from judged where is_claimed or doubts > 0),
  updated as (
    update deliveries set
      state = case when is_claimed or is_held then 'queued' else deliveries.state end,
      reason = case when is_held then null else reason end,
      lease_until = case when is_claimed or is_held then null else lease_until end,
      published_at = case when is_claimed or is_held then now() else published_at end,
      updated_at = case when is_claimed or is_held then now() else updated_at end,
      fence = fence + is_claimed::int,
      uncertain = greatest(uncertain - case when is_idempotent then 0 else doubts end, 0),
      unanswered = greatest(unanswered - is_claimed::int - case when is_held then 2
        when was_last and deliveries.state in ('active', 'held') and not is_claimed then 1 else 0 end, 0),
      timeline = case when is_claimed or is_held
        then ${withStep("decided", { state: "'queued'", by: "$3::text", reason: `'${NEVER_BEGUN}'` })}
        else decided.timeline end
    from decided
    where group_name = $2::text and deliveries.event_id = any(array(select event_id from locked))
      and deliveries.event_id = decided.event_id
    returning deliveries.event_id, case when is_held then 'requeued' when is_claimed then 'undone' else 'taken back' end as result)
  select input.event_id, coalesce(state in (${SQL_FINAL}), false) as is_final, case
      when result is not null then result
      when was_requeued then 'requeued'
      when judged.event_id is null and exists (
        select 1 from deliveries where deliveries.event_id = input.event_id and group_name = $2::text) then 'locked'
      else 'none' end as result
  from input left join judged using (event_id) left join updated using (event_id)`);

/**
 * Undoes claims under which nothing was begun, whatever has become of them: the next claim finds deliveries that were not tried, and what a
 * peer has counted as a try is not counted any more. One answer for each; may be repeated.
 */
export const unclaimDeliveries = async (
  db: Database,
  claims: readonly UnbegunClaim[],
  options: { readonly group: string; readonly consumer: string; readonly isIdempotent: boolean },
): Promise<readonly UnclaimedDelivery[]> =>
  claims.length === 0 ? [] : unclaim(db, claims, options.group, options.consumer, options.isIdempotent);

const log = statement<LoggedEvent, [readonly string[]]>(`
  select ${SQL_LOGGED_EVENT} from events
  where event_id in (select value::uuid from json_array_elements_text($1::json))`);

/** The log's rows of events, from which their entries can be made. */
export const findLoggedEvents = async (db: Database, eventIds: readonly string[]): Promise<readonly LoggedEvent[]> =>
  eventIds.length === 0 ? [] : log(db, eventIds);
