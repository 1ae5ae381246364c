import { type Database, statement } from "../connection.ts";
import { MOST_STEPS, SQL_IS_REPLAYED } from "./timeline.ts";

/** A delivery that was queued, due, and attempted never before: claimed, and ready for its first attempt. */
export interface PlainClaim {
  readonly event_id: string;
  readonly fence: number;
  readonly attempts: number;
  readonly system_failures: number;
  readonly uncertain: number;
  readonly unanswered: number;
  readonly age_ms: number;
  readonly is_replayed: boolean;
}

/**
 * Claims what nearly all deliveries are, at two thirds of what the statement for all of them costs. $1 event ids, joined by commas,
 * $2 group, $3 consumer, $4 lease ms, $5 expire ms or null, $6 token.
 *
 * Rows are locked one by one by their key, and those that somebody else has locked are left out. The locked ones are then read by an
 * array of their keys, and `coalesce` hides the state from the partial indexes: a plan that is made while the ledger is empty, and kept,
 * would else read all of the group's rows for each batch.
 */
const claim = statement<PlainClaim, [string, string, string, number, number | null, string]>(`
  update deliveries set
    state = 'active', fence = fence + 1, unanswered = unanswered + 1, reconciled = 0, claim_token = $6::uuid,
    lease_until = now() + $4::float8 * interval '1 ms', next_try_at = null, updated_at = now(),
    timeline = timeline || jsonb_build_object('at', now(), 'state', 'active', 'by', $3::text, 'attempt', attempts + 1)
  where group_name = $2::text and event_id = any(array(
      select locked.event_id from unnest(string_to_array($1::text, ',')::uuid[]) as wanted (event_id) cross join lateral (
        select event_id from deliveries where deliveries.event_id = wanted.event_id and group_name = $2::text
        limit 1 for update skip locked) as locked))
    and coalesce(state, '') = 'queued' and reason is null and coalesce(next_try_at <= now(), true)
    and coalesce(queued_at >= now() - $5::float8 * interval '1 ms', true)
    and jsonb_array_length(timeline) < ${MOST_STEPS}
  returning event_id, fence, attempts, system_failures, uncertain, unanswered,
    extract(epoch from now() - created_at)::float8 * 1000 as age_ms, ${SQL_IS_REPLAYED} as is_replayed`);

/** Claims those that are plain; of the others, unknown and locked ones included, it says nothing, and changes nothing. */
export const claimPlainDeliveries = (
  db: Database,
  eventIds: readonly string[],
  options: {
    readonly group: string;
    readonly consumer: string;
    readonly leaseMs: number;
    readonly expireAfterMs: number | undefined;
    readonly token: string;
  },
): Promise<readonly PlainClaim[]> => {
  const { group, consumer, leaseMs, expireAfterMs = null, token } = options;
  return eventIds.length === 0
    ? Promise.resolve([])
    : claim(db, eventIds.join(","), group, consumer, leaseMs, expireAfterMs, token);
};
