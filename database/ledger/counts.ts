import { type Database, statement } from "../connection.ts";
import { type DeliveryState, SQL_UNFINISHED } from "./states.ts";

/** Deliveries that are scanned at most, so that the answer takes milliseconds at any size of the ledger. */
export const LEDGER_BOUND = 100_000;
/** Counting stops here: an autoscaler needs no more, and the answer stays cheap at any depth. */
export const BACKLOG_BOUND = 10_000;

/** Deliveries of one group by state. */
export type StateCounts = Readonly<Partial<Record<DeliveryState, number>>>;

export interface LedgerCounts {
  readonly byGroup: Readonly<Record<string, StateCounts>>;
  /** Deliveries counted: all, or the latest `LEDGER_BOUND`. */
  readonly counted: number;
  readonly bounded: boolean;
  readonly outbox: { readonly rows: number; readonly bounded: boolean; readonly oldestAgeMs: number };
}

interface CountRow {
  /** null: the outbox. */
  readonly group_name: string | null;
  readonly state: DeliveryState | null;
  readonly count: number;
  readonly oldest_age_ms: number | null;
}

/** Event ids are UUIDv7, so the latest deliveries are at the end of the primary key's index. */
const counts = statement<CountRow, [number]>(`
  select group_name, state, count(*)::int as count, null::float8 as oldest_age_ms
  from (select group_name, state from deliveries order by event_id desc, group_name desc limit $1::int) as latest
  group by group_name, state
  union all
  select null, null, count(*)::int, extract(epoch from now() - min(created_at))::float8 * 1000
  from (select created_at from outbox order by created_at limit $1::int) as waiting`);

/** Deliveries by group and state, and rows in the outbox, both bounded. Ages by Postgres' clock. */
export const countLedger = async (db: Database): Promise<LedgerCounts> => {
  const byGroup: Record<string, Partial<Record<DeliveryState, number>>> = {};
  let counted = 0;
  let outbox = { rows: 0, bounded: false, oldestAgeMs: 0 };
  for (const { group_name: group, state, count, oldest_age_ms: ageMs } of await counts(db, LEDGER_BOUND)) {
    if (group === null || state === null) {
      outbox = { rows: count, bounded: count === LEDGER_BOUND, oldestAgeMs: Math.max(0, Math.round(ageMs ?? 0)) };
    } else {
      byGroup[group] = { ...byGroup[group], [state]: count };
      counted += count;
    }
  }
  return { byGroup, counted, bounded: counted === LEDGER_BOUND, outbox };
};

const unfinished = statement<{ unfinished: number }, [string, number]>(`
  select count(*)::int as unfinished from (
    select 1 from deliveries where group_name = $1::text and state in (${SQL_UNFINISHED}) limit $2::int) as bounded`);

/**
 * Unfinished deliveries of a group, counted up to `BACKLOG_BOUND`. Held ones wait for an operator, not for a consumer.
 */
export const countUnfinished = async (db: Database, group: string): Promise<number> =>
  (await unfinished(db, group, BACKLOG_BOUND))[0]?.unfinished ?? 0;
