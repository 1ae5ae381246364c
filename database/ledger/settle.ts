import { type Database, statement } from "../connection.ts";
import { type PlainSettlement, settlePlainDeliveries } from "./settle-plain.ts";
import type { DeliveryState } from "./states.ts";
import { withStep } from "./timeline.ts";

/** The result of an attempt: one row of a batch. */
export interface Settlement {
  readonly event_id: string;
  readonly fence: number;
  readonly state: Exclude<DeliveryState, "active">;
  /** Added to the counters. */
  readonly attempts: number;
  readonly system_failures: number;
  readonly uncertain: number;
  /** Delay of the next attempt, or how long it is held, in ms of Postgres' clock; null: none. */
  readonly delay_ms: number | null;
  readonly reason: string | null;
  /** The id of the effect in the other system. */
  readonly receipt: string | null;
  /** The other system's reply, addresses removed. */
  readonly reply: string | null;
}

/** `not-ours`: the delivery is another claim's by now. `locked`: somebody else has locked its row; to be written later. */
export type SettleResult = "applied" | "not-ours" | "locked";

/**
 * Records whatever `settle-plain.ts` does not. $1 settlements, $2 group, $3 consumer. Fenced: an owner that lost the delivery to a later claim
 * changes nothing. `done` is written by any owner, because the effect took place. What was written under the same fence before
 * is not written again, but answered as ours: the answer to it was lost.
 * A row that somebody else has locked is left out: the batch does not wait for it.
 */
const settle = statement<
  { event_id: string; result: Exclude<SettleResult, "not-ours"> },
  [readonly Settlement[], string, string]
>(`
  with input as (
    select distinct on (event_id) * from json_to_recordset($1::json) as row (
      event_id uuid, fence int, state text, attempts int, system_failures int, uncertain int, delay_ms float8,
      reason text, receipt text, reply text)
    order by event_id, (state = 'done') desc, fence desc),
  locked as (
    select input.*, case when (input.state = 'done' and current.state <> 'done')
      or (current.state = 'active' and current.fence = input.fence) then 'apply'
      when current.state = input.state and current.fence = input.fence then 'applied' end as verdict
    from input cross join lateral (
      select state, fence from deliveries where deliveries.event_id = input.event_id and group_name = $2::text
      limit 1 for update skip locked) as current),
  applied as (
  update deliveries set
    state = input.state,
    lease_until = null,
    -- Released, its entry goes to the end of the queue: the reconciler counts from here.
    published_at = case when input.state = 'queued' then now() else deliveries.published_at end,
    attempts = deliveries.attempts + input.attempts,
    system_failures = deliveries.system_failures + input.system_failures,
    uncertain = deliveries.uncertain + input.uncertain,
    -- A consumer that releases is alive: its claim does not count.
    unanswered = case when input.state = 'queued' then greatest(deliveries.unanswered - 1, 0) else 0 end,
    next_try_at = now() + input.delay_ms * interval '1 ms',
    reason = input.reason,
    reply = coalesce(input.reply, deliveries.reply),
    receipt = coalesce(input.receipt, deliveries.receipt),
    updated_at = now(),
    timeline = ${withStep("deliveries", {
      state: "input.state",
      by: "$3::text",
      reason: "input.reason",
      attempt: "nullif(deliveries.attempts + input.attempts, 0)",
    })}
  from (select * from locked where verdict = 'apply') as input
  where deliveries.group_name = $2::text and deliveries.event_id = any(array(select event_id from locked))
    and deliveries.event_id = input.event_id
  returning deliveries.event_id)
  select event_id, 'applied' as result from applied
  union all
  select event_id, 'applied' from locked where verdict = 'applied'
  union all
  select event_id, 'locked' from input cross join lateral (
    select 1 from deliveries where deliveries.event_id = input.event_id and group_name = $2::text limit 1) as known
  where event_id not in (select event_id from locked)`);

/** Whether nothing but the receipt and the reply is to be written beside that the work is done. */
const isPlain = ({ state, attempts, system_failures, uncertain, delay_ms, reason }: Settlement): boolean =>
  state === "done" && attempts === 1 && system_failures + uncertain === 0 && delay_ms === null && reason === null;

const toPlain = ({ event_id, fence, receipt, reply }: Settlement): PlainSettlement => ({
  event_id,
  fence,
  receipt,
  reply,
});

/** Writes outcomes to the ledger; one result per settlement. What is done at once has a statement of its own, the rest another. */
export const settleDeliveries = async (
  db: Database,
  settlements: readonly Settlement[],
  owner: { readonly group: string; readonly consumer: string },
): Promise<readonly SettleResult[]> => {
  const applied = await settlePlainDeliveries(db, settlements.filter(isPlain).map(toPlain), owner);
  const left = settlements.filter(({ event_id }) => !applied.has(event_id));
  const rows = left.length === 0 ? [] : await settle(db, left, owner.group, owner.consumer);
  const results = new Map(rows.map((row) => [row.event_id, row.result]));
  return settlements.map(({ event_id }) => (applied.has(event_id) ? "applied" : (results.get(event_id) ?? "not-ours")));
};
