import { type Database, statement } from "./connection.ts";
import type { EmailState } from "./email-state.ts";

/** How many mails are looked at: whatever the ledger has grown to, the answer takes milliseconds. */
export const LEDGER_BOUND = 100_000;

export interface LedgerCounts {
  readonly byState: Readonly<Partial<Record<EmailState, number>>>;
  /** Mails counted: all there are, or the latest `LEDGER_BOUND`. */
  readonly counted: number;
  readonly bounded: boolean;
  readonly outbox: { readonly rows: number; readonly bounded: boolean; readonly oldestAgeMs: number };
}

interface CountRow {
  readonly state: EmailState | "outbox";
  readonly count: number;
  readonly oldest_age_ms: number | null;
}

/** Event ids are UUIDv7, so the end of the primary key's index is the latest mails. */
const counts = statement<CountRow, [number]>(`
  select state, count(*)::int as count, null::float8 as oldest_age_ms
  from (select state from emails order by event_id desc limit $1::int) as latest group by state
  union all
  select 'outbox', count(*)::int, extract(epoch from now() - min(created_at))::float8 * 1000
  from (select created_at from outbox order by created_at limit $1::int) as waiting`);

/** Mails by state and what waits in the outbox, both bounded. Ages by Postgres' clock. */
export const countLedger = async (db: Database): Promise<LedgerCounts> => {
  const byState: Partial<Record<EmailState, number>> = {};
  let counted = 0;
  let outbox = { rows: 0, bounded: false, oldestAgeMs: 0 };
  for (const { state, count, oldest_age_ms: ageMs } of await counts(db, LEDGER_BOUND)) {
    if (state === "outbox") {
      outbox = { rows: count, bounded: count === LEDGER_BOUND, oldestAgeMs: Math.max(0, Math.round(ageMs ?? 0)) };
    } else {
      byState[state] = count;
      counted += count;
    }
  }
  return { byState, counted, bounded: counted === LEDGER_BOUND, outbox };
};
