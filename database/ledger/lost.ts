import { type Database, statement } from "../connection.ts";
import { type LoggedEvent, SQL_LOGGED_EVENT } from "../events.ts";
import { SQL_UNFINISHED } from "./states.ts";
import { withStep } from "./timeline.ts";

/** When a delivery was published or will be due, whichever is later; the index `deliveries_due` has this expression. */
const DUE_AT = "greatest(published_at, next_try_at)";

/** Why a delivery is held that was brought back in vain again and again. */
export const LOST_REPEATEDLY = "lost_repeatedly";
/** So often a delivery is brought back without a consumer having it in between; then it is held. */
const MOST_TIMES = 10;
/** After so many times the wait does not double any more: 64 times `reconcileAfterMs`. */
const MOST_DOUBLINGS = 6;

interface LostRow extends LoggedEvent {
  readonly is_held: boolean;
}

/**
 * $1 group, $2 overtaken by ms, $3 reconcile after ms, $4 limit.
 *
 * `lease_until` is no part of the index, since heartbeats renew it: it matters for what is in flight alone. Nothing else is in
 * the order, so that the index has all of it: a million that were due at the same time would be sorted for each batch.
 */
const take = statement<LostRow, [string, number, number, number]>(`
  with lost as (
    select event_id, reconciled from deliveries
    where group_name = $1::text and state in (${SQL_UNFINISHED})
      and ${DUE_AT} < now() - ($2::float8 + $3::float8) * interval '1 ms'
      and (lease_until is null or lease_until < now() - ($2::float8 + $3::float8) * interval '1 ms')
      and greatest(${DUE_AT}, lease_until)
        < now() - ($2::float8 + $3::float8 * 2 ^ least(reconciled, ${MOST_DOUBLINGS})) * interval '1 ms'
      and not exists (select 1 from outbox where outbox.event_id = deliveries.event_id)
    order by ${DUE_AT} limit $4::int for update skip locked),
  taken as (
    update deliveries set published_at = now(), reconciled = deliveries.reconciled + 1,
      timeline = ${withStep("deliveries", { state: "state", reason: "'reconciled'" })}
    from lost
    where deliveries.group_name = $1::text and deliveries.event_id = lost.event_id and lost.reconciled < ${MOST_TIMES}
    returning deliveries.event_id),
  held as (
    update deliveries set state = 'held', reason = '${LOST_REPEATEDLY}', lease_until = null, next_try_at = null,
      updated_at = now(), timeline = ${withStep("deliveries", { state: "'held'", reason: `'${LOST_REPEATEDLY}'` })}
    from lost
    where deliveries.group_name = $1::text and deliveries.event_id = lost.event_id and lost.reconciled >= ${MOST_TIMES}
    returning deliveries.event_id)
  select ${SQL_LOGGED_EVENT}, found.is_held
  from events join (
    select event_id, false as is_held from taken union all select event_id, true from held) as found using (event_id)`);

/** Deliveries that their group does not have any more. */
export interface LostDeliveries {
  /** To be published again. */
  readonly lost: readonly LoggedEvent[];
  /** Event ids of those that this call has held, because publishing them again did not help ten times. */
  readonly held: readonly string[];
}

/**
 * Finds the deliveries that their group has overtaken by `overtakenByMs`, and that were published, due and leased for the last
 * time `reconcileAfterMs` before that: unfinished, and not in the outbox. Oldest first. Each time that one is found again,
 * without a consumer having claimed it, the wait doubles; after ten times it is held, for an operator. It sets `published_at`,
 * so that two api processes never get the same.
 */
export const takeLostDeliveries = async (
  db: Database,
  options: {
    readonly group: string;
    readonly overtakenByMs: number;
    readonly reconcileAfterMs: number;
    readonly limit: number;
  },
): Promise<LostDeliveries> => {
  const rows = await take(db, options.group, options.overtakenByMs, options.reconcileAfterMs, options.limit);
  return {
    lost: rows.filter((row) => !row.is_held),
    held: rows.flatMap((row) => (row.is_held ? [row.event_id] : [])),
  };
};

const undo = statement<never, [readonly string[], string]>(`
  update deliveries set reconciled = greatest(0, reconciled - 1),
    timeline = case when timeline -> -1 ->> 'reason' = 'reconciled' then timeline - -1 else timeline end
  where group_name = $2::text and event_id in (select value::uuid from json_array_elements_text($1::json))`);

/** Undoes what was noted of deliveries that Redis refused to take: they do not count as brought back. */
export const undoReconciled = async (db: Database, group: string, eventIds: readonly string[]): Promise<void> => {
  if (eventIds.length > 0) await undo(db, eventIds, group);
};

const countHeld = statement<{ count: number }, [number]>(`
  select count(*)::int as count from (
    select 1 from deliveries where state = 'held' and reason = '${LOST_REPEATEDLY}' limit $1::int) as bounded`);

/** Deliveries that are held because they were lost again and again, counted up to a limit. */
export const countLostRepeatedly = async (db: Database, limit: number): Promise<number> =>
  (await countHeld(db, limit))[0]?.count ?? 0;
