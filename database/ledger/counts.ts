import { type Database, statement } from "../connection.ts";
import { SQL_BY_REASON, sqlReasons } from "./listed.ts";
import { type DeliveryState, SQL_UNFINISHED } from "./states.ts";

/** Deliveries that are scanned at most, so that the answer takes milliseconds at any size of the ledger. */
export const LEDGER_BOUND = 100_000;
/** Counting stops here: an autoscaler needs no more, and the answer stays cheap at any depth. */
export const BACKLOG_BOUND = 10_000;

/**
 * Deliveries of one group by state. `waiting`: queued, and not due before the delay of the group is over; `queued` are the
 * others.
 */
export type StateCounts = Readonly<Partial<Record<DeliveryState | "waiting", number>>>;

/** Held deliveries of one group for one reason; counted up to `LEDGER_BOUND` in all, by the names of the groups: beyond it the last ones have fewer. */
export interface HeldCount {
  readonly group: string;
  readonly reason: string;
  readonly count: number;
  /** When the first of them is queued again by itself; null: they wait for an operator. */
  readonly firstUntil: Date | null;
}

export interface LedgerCounts {
  readonly byGroup: Readonly<Record<string, StateCounts>>;
  /** When the first of a group's waiting deliveries is due. */
  readonly waitsUntil: Readonly<Record<string, Date>>;
  /** Deliveries counted: all, or the latest `LEDGER_BOUND`. */
  readonly counted: number;
  readonly bounded: boolean;
  readonly held: readonly HeldCount[];
  readonly outbox: OutboxCount;
}

/** Rows in the outbox, counted up to `LEDGER_BOUND`, and the age of the oldest. */
export interface OutboxCount {
  readonly rows: number;
  readonly bounded: boolean;
  readonly oldestAgeMs: number;
}

const NO_OUTBOX: OutboxCount = { rows: 0, bounded: false, oldestAgeMs: 0 };

interface CountRow {
  /** null: the outbox. */
  readonly group_name: string | null;
  readonly state: DeliveryState | "waiting" | null;
  readonly count: number;
  readonly first_due: Date | null;
  readonly oldest_age_ms: number | null;
}

const SQL_OUTBOX = `
  select null::text as group_name, null::text as state, count(*)::int as count, null::timestamptz as first_due,
    extract(epoch from now() - min(created_at))::float8 * 1000 as oldest_age_ms
  from (select created_at from outbox order by created_at limit $1::int) as waiting`;

/** Event ids are UUIDv7, so the latest deliveries are at the end of the primary key's index. */
const counts = statement<CountRow, [number]>(`
  select group_name, shown as state, count(*)::int as count, min(next_try_at) filter (where shown = 'waiting') as first_due,
    null::float8 as oldest_age_ms
  from (
    select group_name, next_try_at, case when state = 'queued' and next_try_at > now() then 'waiting' else state end as shown
    from deliveries order by event_id desc, group_name desc limit $1::int) as latest
  group by group_name, shown
  union all ${SQL_OUTBOX}`);

/**
 * Found however old it is. By indexes alone, but for those that are held until a time: what an operator has left for a year is spread over
 * the table, each in another page. In the order of the index, or the planner would take one that has no reasons.
 */
const heldByReason = statement<HeldCount, [number]>(`
  with counted as (
    select group_name, reason, count(*)::int as count
    from (
      select group_name, coalesce(reason, '') as reason from deliveries
      where state in (${SQL_BY_REASON}) and state = 'held'
      order by group_name, state, coalesce(reason, '') limit $1::int) as bounded
    group by group_name, reason),
  timed as (
    select group_name, coalesce(reason, '') as reason, min(next_try_at) as first_until
    from (
      select group_name, reason, next_try_at from deliveries
      where state = 'held' and next_try_at is not null order by group_name, next_try_at limit $1::int) as bounded
    group by 1, 2)
  select group_name as "group", reason, count, first_until as "firstUntil"
  from counted left join timed using (group_name, reason) order by group_name, reason`);

const outboxOf = ({ count: rows, oldest_age_ms: ageMs }: CountRow): OutboxCount => ({
  rows,
  bounded: rows === LEDGER_BOUND,
  oldestAgeMs: Math.max(0, Math.round(ageMs ?? 0)),
});

const ofOutbox = statement<CountRow, [number]>(SQL_OUTBOX);

/** What waits in the outbox alone, bounded. */
export const countOutbox = async (db: Database): Promise<OutboxCount> => {
  const [row] = await ofOutbox(db, LEDGER_BOUND);
  return row === undefined ? NO_OUTBOX : outboxOf(row);
};

/** Deliveries by group and state, held ones by reason, and rows in the outbox, all bounded. Ages by Postgres' clock. */
export const countLedger = async (db: Database): Promise<LedgerCounts> => {
  const byGroup: Record<string, Partial<Record<DeliveryState | "waiting", number>>> = {};
  const waitsUntil: Record<string, Date> = {};
  let counted = 0;
  let outbox = NO_OUTBOX;
  for (const row of await counts(db, LEDGER_BOUND)) {
    const { group_name: group, state, count, first_due: firstDue } = row;
    if (group === null || state === null) {
      outbox = outboxOf(row);
    } else {
      byGroup[group] = { ...byGroup[group], [state]: count };
      if (firstDue !== null) waitsUntil[group] = firstDue;
      counted += count;
    }
  }
  const held = await heldByReason(db, LEDGER_BOUND);
  return { byGroup, waitsUntil, counted, bounded: counted === LEDGER_BOUND, held, outbox };
};

/** Of each group, state and reason so many are counted; with it the answer is cheap however many are tried again. */
const RETRYING_BOUND = 1_000;

/** Deliveries of a group that wait for their next attempt for one reason. */
export interface RetryingCount {
  readonly group: string;
  readonly reason: string;
  /** Up to 1,000. */
  readonly count: number;
  readonly isBound: boolean;
  /** When the first of them is due. */
  readonly firstAt: Date;
}

type RetryingRow = Omit<RetryingCount, "isBound">;

/** SQL: of a group, state and reason, from the index in its order. Each reason is counted for itself, so that no flood hides another. */
const sqlRetrying = (state: "retrying" | "uncertain"): string => `
  (with ${sqlReasons(state)}
  select reasons.name, reasons.reason, bounded.next_try_at from reasons cross join lateral (
    select coalesce(next_try_at, now()) as next_try_at from deliveries
    where group_name = reasons.name and state in (${SQL_BY_REASON}) and state = '${state}'
      and coalesce(deliveries.reason, '') = reasons.reason
    order by updated_at limit $2::int) as bounded)`;

const retrying = statement<RetryingRow, [readonly string[], number]>(`
  select name as "group", reason, count(*)::int as count, min(next_try_at) as "firstAt"
  from (${sqlRetrying("retrying")} union all ${sqlRetrying("uncertain")}) as waiting
  group by 1, 2 order by 1, 2`);

/** What waits for its next attempt, by group and reason, bounded. */
export const countRetrying = async (db: Database, groups: readonly string[]): Promise<readonly RetryingCount[]> =>
  (await retrying(db, groups, RETRYING_BOUND)).map((row) => ({ ...row, isBound: row.count >= RETRYING_BOUND }));

/** What a group has to do, now and later. */
export interface Backlog {
  /** Unfinished deliveries, those that wait left out; counted up to `BACKLOG_BOUND`. Held ones wait for an operator. */
  readonly unfinished: number;
  /** Of them those that are not due yet, and will be within a minute. */
  readonly soon: number;
  /** When the oldest of them was published last; null: there is none. */
  readonly oldestAt: Date | null;
  /** Deliveries that wait until the delay of the group is over; counted up to `BACKLOG_BOUND`. */
  readonly waiting: number;
  /** When the first of them is due; null: there is none. */
  readonly waitsUntil: Date | null;
}

/** A delivery counts as unfinished this long before it is due, so that a consumer runs by then. */
const WAKE_AHEAD_MS = 60_000;

interface BacklogRow {
  readonly group_name: string;
  readonly unfinished: number;
  readonly soon: number;
  readonly oldest_at: Date | null;
  readonly waiting: number;
  readonly waits_until: Date | null;
}

/** SQL: until when a delivery counts as unfinished. In each range itself: the planner has no bounds from a subquery. */
const SOON = "now() + $3::float8 * interval '1 ms'";

/** SQL: a range of the index of a group's unfinished deliveries. In its order, so that the planner reads the index whatever it knows of the table. */
const ranged = (columns: string, range: string, limit: string): string => `
  select ${columns} from deliveries
  where group_name = groups.name and state in (${SQL_UNFINISHED}) and published_at ${range}
  order by published_at limit ${limit}`;

/** SQL: counts a range. */
const counted = (range: string): string => `(select count(*)::int from (${ranged("1", range, "$2::int")}) as bounded)`;

/**
 * $1 groups, $2 bound, $3 wake ahead ms. A delivery that waits for its first attempt, and no other, has a `published_at` in the
 * future: so each count is a range of the index.
 */
const backlogs = statement<BacklogRow, [readonly string[], number, number]>(`
  select name as group_name, ${counted(`<= ${SOON}`)} as unfinished,
    ${counted(`> now() and published_at <= ${SOON}`)} as soon,
    (${ranged("published_at", `<= ${SOON}`, "1")}) as oldest_at, ${counted(`> ${SOON}`)} as waiting,
    (${ranged("published_at", `> ${SOON}`, "1")}) as waits_until
  from (select value as name from json_array_elements_text($1::json)) as groups`);

/** Counts what each of these groups has to do, by the group's name: one statement, cheap at any depth. */
export const readBacklogs = async (db: Database, groups: readonly string[]): Promise<ReadonlyMap<string, Backlog>> =>
  new Map(
    (await backlogs(db, groups, BACKLOG_BOUND, WAKE_AHEAD_MS)).map(
      ({ group_name: group, unfinished, soon, oldest_at: oldestAt, waiting, waits_until: waitsUntil }) => [
        group,
        { unfinished, soon, oldestAt, waiting, waitsUntil },
      ],
    ),
  );

/** Counts what a group has to do. */
export const readBacklog = async (db: Database, group: string): Promise<Backlog> => {
  const backlog = (await readBacklogs(db, [group])).get(group);
  if (backlog === undefined) throw new Error("counting returned no row");
  return backlog;
};
