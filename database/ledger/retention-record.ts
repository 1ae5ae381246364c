import { type Database, statement } from "../connection.ts";

/** What is known of how long the ledger remembers. */
export interface RetentionFacts {
  /** null: there is no event. */
  readonly oldestEventAt: Date | null;
  /** The retention of the api that looked last for old events; null: none ever has. */
  readonly retentionMs: number | null;
  readonly lookedAt: Date | null;
  /** The last time that something was deleted. */
  readonly removed: { readonly at: Date; readonly events: number; readonly deliveries: number } | null;
}

/** What one look for old events has deleted. */
export interface Pruning {
  readonly retentionMs: number;
  readonly events: number;
  readonly deliveries: number;
}

const save = statement<{ is_only: boolean }, [number, number, number]>(`
  insert into ledger_pruning (is_only, retention_ms, looked_at, removed_at, events, deliveries)
    values (true, $1::int8, now(), case when $2::int > 0 then now() end, $2::int, $3::int)
  on conflict (is_only) do update set retention_ms = excluded.retention_ms, looked_at = excluded.looked_at,
    removed_at = coalesce(excluded.removed_at, ledger_pruning.removed_at),
    events = case when excluded.events > 0 then excluded.events else ledger_pruning.events end,
    deliveries = case when excluded.events > 0 then excluded.deliveries else ledger_pruning.deliveries end
  returning is_only`);

/** Records that an api has looked for old events, and what it has deleted. */
export const recordPruning = async (db: Database, { retentionMs, events, deliveries }: Pruning): Promise<void> =>
  void (await save(db, retentionMs, events, deliveries));

interface FactsRow {
  readonly oldest_at: Date | null;
  readonly retention_ms: number | null;
  readonly looked_at: Date | null;
  readonly removed_at: Date | null;
  readonly events: number | null;
  readonly deliveries: number | null;
}

/** The oldest by the log's index. */
const facts = statement<FactsRow, []>(`
  select (select created_at from events order by created_at, event_id limit 1) as oldest_at,
    retention_ms::float8 as retention_ms, looked_at, removed_at, events, deliveries
  from (select true as is_only) as one left join ledger_pruning using (is_only)`);

export const readRetention = async (db: Database): Promise<RetentionFacts> => {
  const [row] = await facts(db);
  if (row === undefined) throw new Error("the retention returned no row");
  const { oldest_at: oldestEventAt, retention_ms: retentionMs, looked_at: lookedAt, removed_at: at } = row;
  const removed = at === null ? null : { at, events: row.events ?? 0, deliveries: row.deliveries ?? 0 };
  return { oldestEventAt, retentionMs, lookedAt, removed };
};
