import { type Database, statement } from "../connection.ts";
import { BACKLOG_BOUND, LEDGER_BOUND } from "./counts.ts";
import {
  type DeliveryFilter,
  type ListedState,
  SQL_BY_REASON,
  SQL_GROUPS,
  SQL_LISTED_STATE,
  sqlReasons,
  sqlUnfinished,
} from "./listed.ts";

/** A delivery in a list. */
export interface ListedDelivery {
  readonly eventId: string;
  readonly group: string;
  readonly state: ListedState;
  readonly reason: string | null;
  /** The other system's last reply, addresses removed. */
  readonly reply: string | null;
  readonly attempts: number;
  readonly uncertain: number;
  /** Its next attempt, or the end of its being held. */
  readonly nextTryAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** Type and subject of its event. */
  readonly type: string;
  readonly subject: string;
}

export interface DeliveryPage {
  readonly deliveries: readonly ListedDelivery[];
  /** Where the next page begins; null: this is the last one. */
  readonly next: string | null;
}

interface ListRow {
  readonly event_id: string;
  readonly group_name: string;
  readonly state: ListedState;
  readonly reason: string | null;
  readonly reply: string | null;
  readonly attempts: number;
  readonly uncertain: number;
  readonly next_try_at: Date | null;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly type: string;
  readonly subject: string;
  readonly at: string;
}

type Parameters = [
  groups: readonly string[],
  reason: string | null,
  since: Date | null,
  before: Date | null,
  at: string,
  eventId: string,
  group: string,
  limit: number,
];

const COLUMNS = `event_id, group_name, ${SQL_LISTED_STATE} as state, reason, reply, attempts, uncertain, next_try_at,
  deliveries.created_at, updated_at`;

const sqlWindow = (column: string): string =>
  `${column} >= coalesce($3::timestamptz, '-infinity') and ${column} < coalesce($4::timestamptz, 'infinity')`;

const sqlShown = (rows: string, order: string): string => `
  select rows.*, events.type, events.subject from (select * from (${rows}) as found order by ${order} limit $8::int) as rows
  join events using (event_id) order by ${order}`;

const sqlOfReason = (state: ListedState): string => `
  from deliveries where group_name = reasons.name and state in (${SQL_BY_REASON}) and state = '${state}'
    and coalesce(deliveries.reason, '') = reasons.reason and ${sqlWindow("updated_at")}`;

/** The first of each group and reason, merged: however many there are, a page reads no more than it shows of each. */
const byReason = (state: ListedState) =>
  statement<ListRow, Parameters>(`
  with ${sqlReasons(state)}
  ${sqlShown(
    `select page.* from reasons cross join lateral (
      select ${COLUMNS}, updated_at::text as at, updated_at as sorted ${sqlOfReason(state)}
        and (updated_at, event_id, group_name) < ($5::text::timestamptz, $6::uuid, $7::text)
      order by updated_at desc, event_id desc limit $8::int) as page
    where $2::text is null or reasons.reason = $2::text`,
    "sorted desc, event_id desc, group_name desc",
  )}`);

/** By `deliveries_unfinished`: the latest `LEDGER_BOUND` of each group, or the oldest if it is about what is in flight. */
const unfinished = (state: ListedState) => {
  const [order, before] = state === "active" ? ["", ">"] : ["desc", "<"];
  return statement<ListRow, Parameters>(
    sqlShown(
      `select page.* from (${SQL_GROUPS}) as groups cross join lateral (
        select ${COLUMNS}, published_at::text as at, published_at as sorted from deliveries
        where group_name = groups.name and ${sqlUnfinished(state)} and ${sqlWindow("created_at")}
          and ($2::text is null or reason = $2::text)
          and (published_at, event_id, group_name) ${before} ($5::text::timestamptz, $6::uuid, $7::text)
        order by published_at ${order}, event_id ${order} limit $8::int) as page`,
      `sorted ${order}, event_id ${order}, group_name ${order}`,
    ),
  );
};

/** By the primary key: event ids are UUIDv7, so the latest are at its end. Of the latest `LEDGER_BOUND` deliveries alone. */
const done = statement<ListRow, Parameters>(
  sqlShown(
    `select ${COLUMNS}, '' as at, event_id as sorted from (
      select * from deliveries where (event_id, group_name) < ($6::uuid, $7::text) and ($5::text is not null)
      order by event_id desc, group_name desc limit ${LEDGER_BOUND}) as deliveries
    where state = 'done' and group_name in (${SQL_GROUPS}) and ($2::text is null or reason = $2::text)
      and ${sqlWindow("updated_at")}`,
    "sorted desc, group_name desc",
  ),
);

const LISTS: Readonly<Record<ListedState, ReturnType<typeof byReason>>> = {
  dead: byReason("dead"),
  retrying: byReason("retrying"),
  held: byReason("held"),
  uncertain: byReason("uncertain"),
  suppressed: byReason("suppressed"),
  cancelled: byReason("cancelled"),
  active: unfinished("active"),
  queued: unfinished("queued"),
  waiting: unfinished("waiting"),
  done,
};

const HIGHEST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff";
const LOWEST_ID = "00000000-0000-0000-0000-000000000000";
/** Above every name of a group. */
const HIGHEST_NAME = "~";

type Position = readonly [at: string, eventId: string, group: string];

const firstOf = (state: ListedState): Position =>
  state === "active" ? ["-infinity", LOWEST_ID, ""] : ["infinity", HIGHEST_ID, HIGHEST_NAME];

const CURSOR = /^(\d{4}-[\d-]+ [\d:.]+[+-][\d:]+|)\|([0-9a-f-]{36})\|([a-z0-9-]{1,64})$/;

const cursorOf = ({ at, event_id: eventId, group_name: group }: ListRow): string =>
  Buffer.from(`${at}|${eventId}|${group}`).toString("base64url");

/** Where a cursor points; undefined if it is none of ours. */
const positionOf = (cursor: string): Position | undefined => {
  const [, at = "", eventId = "", group = ""] = CURSOR.exec(Buffer.from(cursor, "base64url").toString()) ?? [];
  return eventId === "" ? undefined : [at, eventId, group];
};

export interface ListDeliveriesOptions extends DeliveryFilter {
  readonly groups: readonly string[];
  readonly limit: number;
  /** `next` of the page before, with the same filter; one that is not ours is as none. */
  readonly cursor?: string | undefined;
}

/**
 * Deliveries of groups in one state. The latest first: those with a reason by their last change, queued ones by when they were or will
 * be due, `done` by their events, of the latest `LEDGER_BOUND` alone. What is in flight: the oldest first.
 */
export const listDeliveries = async (
  db: Database,
  { groups, state, reason, since, before, limit, cursor }: ListDeliveriesOptions,
): Promise<DeliveryPage> => {
  const position = (cursor === undefined ? undefined : positionOf(cursor)) ?? firstOf(state);
  // One more than is shown: then there is a next page.
  const rows = await LISTS[state](db, groups, reason ?? null, since ?? null, before ?? null, ...position, limit + 1);
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    deliveries: shown.map((row) => ({
      eventId: row.event_id,
      group: row.group_name,
      state: row.state,
      reason: row.reason,
      reply: row.reply,
      attempts: row.attempts,
      uncertain: row.uncertain,
      nextTryAt: row.next_try_at,
      createdAt: row.created_at,
      updatedAt: row.updated_at,
      type: row.type,
      subject: row.subject,
    })),
    next: rows.length > limit && last !== undefined ? cursorOf(last) : null,
  };
};

/** Deliveries of one state by reason, each counted up to `BACKLOG_BOUND`. */
export interface ReasonCount {
  readonly group: string;
  readonly reason: string;
  readonly count: number;
}

type CountParameters = [groups: readonly string[], unused: null, since: Date | null, before: Date | null];

const countByReason = (state: ListedState) =>
  statement<ReasonCount, CountParameters>(`
  with ${sqlReasons(state)}
  select reasons.name as "group", reasons.reason, bounded.count from reasons cross join lateral (
    select count(*)::int as count from (select 1 ${sqlOfReason(state)} limit ${BACKLOG_BOUND}) as each) as bounded
  where $2::text is null and bounded.count > 0 order by 1, 2`);

const COUNTS: Readonly<Partial<Record<ListedState, ReturnType<typeof countByReason>>>> = {
  dead: countByReason("dead"),
  retrying: countByReason("retrying"),
  held: countByReason("held"),
  uncertain: countByReason("uncertain"),
  suppressed: countByReason("suppressed"),
  cancelled: countByReason("cancelled"),
};

/** Counts deliveries by group and reason; none for a state that has no reasons. */
export const countReasonsOf = async (
  db: Database,
  { groups, state, since, before }: Pick<ListDeliveriesOptions, "groups" | "state" | "since" | "before">,
): Promise<readonly ReasonCount[]> => (await COUNTS[state]?.(db, groups, null, since ?? null, before ?? null)) ?? [];
