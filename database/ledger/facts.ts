import { type Database, statement } from "../connection.ts";
import { type DeliveryFilter, isByReason, type ListedState, SQL_BY_REASON, sqlUnfinished } from "./listed.ts";
import type { DeliveryState } from "./states.ts";

/** What an operator's action on a delivery depends on. */
export interface DeliveryFacts {
  readonly event_id: string;
  readonly state: DeliveryState;
  readonly reason: string | null;
  /** Its next attempt, or the first, is not due yet. */
  readonly is_early: boolean;
  /** The type of its event. */
  readonly type: string;
  /** Whether its subject is a user; false: nobody, or erased. */
  readonly has_user: boolean;
  /** Whether the address of that user is suppressed. */
  readonly is_suppressed: boolean;
  /** Whether the address of that user is confirmed. */
  readonly is_verified: boolean;
}

/** A position in a walk, with Postgres' precision. */
export interface WalkPosition {
  readonly at: string;
  readonly eventId: string;
}

interface FactsRow extends DeliveryFacts {
  readonly at: string;
}

const LOWEST_ID = "00000000-0000-0000-0000-000000000000";
const BEGINNING: WalkPosition = { at: "-infinity", eventId: LOWEST_ID };

/** SQL: a subject as the id of a user, or null. */
const SQL_USER_ID = `case when events.subject ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$' then events.subject::uuid end`;

/**
 * SQL: the facts of the deliveries in `chosen`, which has event_id, state, reason, next_try_at and at. Each is looked up by the index:
 * joined, Postgres would read the whole log for a page.
 */
const SQL_FACTS = `
  select chosen.event_id, state, reason, coalesce(next_try_at > now(), false) as is_early, type,
    found.id is not null as has_user, coalesce(found.is_suppressed, false) as is_suppressed,
    coalesce(found.is_verified, false) as is_verified, chosen.at::text as at
  from chosen cross join lateral (
    select type, subject from events where events.event_id = chosen.event_id limit 1) as events
  left join lateral (
    select id, email_verified_at is not null as is_verified,
      exists (select 1 from suppressions where suppressions.email_key = users.email_key) as is_suppressed
    from users where users.id = ${SQL_USER_ID} limit 1) as found on true`;

const ofIds = statement<FactsRow, [readonly string[], string]>(`
  with chosen as (
    select event_id, state, reason, next_try_at, updated_at as at from deliveries
    where event_id in (select value::uuid from json_array_elements_text($1::json)) and group_name = $2::text)
  ${SQL_FACTS}`);

/** The facts of each event's delivery to a group; ids of which the group has none are missing. */
export const readFacts = (
  db: Database,
  group: string,
  eventIds: readonly string[],
): Promise<readonly DeliveryFacts[]> => (eventIds.length === 0 ? Promise.resolve([]) : ofIds(db, eventIds, group));

type Page = [
  group: string,
  reason: string | null,
  since: Date | null,
  before: Date | null,
  at: string,
  eventId: string,
  limit: number,
];

/** A page in the order of an index, oldest first. The window is of the change where the index has that, else of the making. */
const pageOf = (where: string, at: "updated_at" | "published_at", window: "updated_at" | "created_at") =>
  statement<FactsRow, Page>(`
  with chosen as materialized (
    select event_id, state, reason, next_try_at, ${at} as at from deliveries
    where group_name = $1::text and ${where}
      and ${window} >= coalesce($3::timestamptz, '-infinity') and ${window} < coalesce($4::timestamptz, 'infinity')
      and (${at}, event_id) > ($5::text::timestamptz, $6::uuid)
    order by ${at}, event_id limit $7::int)
  ${SQL_FACTS} order by chosen.at, chosen.event_id`);

const byReason = (state: ListedState) =>
  pageOf(
    `state in (${SQL_BY_REASON}) and state = '${state}' and coalesce(reason, '') = $2::text`,
    "updated_at",
    "updated_at",
  );

const unfinished = (state: ListedState) =>
  pageOf(`${sqlUnfinished(state)} and ($2::text is null or reason = $2::text)`, "published_at", "created_at");

/** States whose deliveries an operator may act on all at once. */
export const WALKED_STATES = [
  "dead",
  "retrying",
  "held",
  "uncertain",
  "queued",
  "waiting",
  "suppressed",
] as const satisfies readonly ListedState[];
export type WalkedState = (typeof WALKED_STATES)[number];

const PAGES: Readonly<Record<WalkedState, ReturnType<typeof pageOf>>> = {
  dead: byReason("dead"),
  retrying: byReason("retrying"),
  held: byReason("held"),
  uncertain: byReason("uncertain"),
  suppressed: byReason("suppressed"),
  queued: unfinished("queued"),
  waiting: unfinished("waiting"),
};

/** Which deliveries of a group a walk visits. */
export interface WalkFilter extends DeliveryFilter {
  readonly state: WalkedState;
}

/** By the index alone, however many deliveries have the reason. */
const reasons = statement<{ reason: string }, [string, ListedState]>(`
  with recursive found as (
    (select coalesce(reason, '') as reason from deliveries
      where group_name = $1::text and state in (${SQL_BY_REASON}) and state = $2::text
      order by coalesce(reason, '') limit 1)
    union all
    select next.reason from found cross join lateral (
      select coalesce(deliveries.reason, '') as reason from deliveries
      where group_name = $1::text and state in (${SQL_BY_REASON}) and state = $2::text
        and coalesce(deliveries.reason, '') > found.reason
      order by coalesce(deliveries.reason, '') limit 1) as next)
  select reason from found`);

/**
 * The facts of all deliveries of a group that a filter means, in pages. What changes meanwhile so that the filter means it no more is
 * not visited twice; to leave out what comes to be meant by it, give it an end.
 */
export async function* walkFacts(
  db: Database,
  group: string,
  { state, reason, since = undefined, before = undefined }: WalkFilter,
  limit: number,
): AsyncGenerator<readonly DeliveryFacts[]> {
  const all = isByReason(state) ? (await reasons(db, group, state)).map((row) => row.reason) : [null];
  const wanted = reason === undefined ? all : isByReason(state) ? all.filter((each) => each === reason) : [reason];
  for (const each of wanted) {
    let { at, eventId } = BEGINNING;
    for (;;) {
      const page = await PAGES[state](db, group, each, since ?? null, before ?? null, at, eventId, limit);
      if (page.length > 0) yield page;
      const last = page.at(-1);
      if (last === undefined || page.length < limit) break;
      ({ at, event_id: eventId } = last);
    }
  }
}
