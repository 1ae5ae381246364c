import type { DeliveryState } from "./states.ts";
import { SQL_UNFINISHED } from "./states.ts";

/**
 * A state as operators ask for it. `waiting`: queued, and not due before the delay of the group is over; `queued` are the
 * others.
 */
export type ListedState = DeliveryState | "waiting";

export const LISTED_STATES = [
  "dead",
  "retrying",
  "held",
  "uncertain",
  "active",
  "queued",
  "waiting",
  "suppressed",
  "cancelled",
  "done",
] as const satisfies readonly ListedState[];

/** States that the index `deliveries_by_reason` has, in the words of its predicate. */
export const SQL_BY_REASON = "'retrying', 'uncertain', 'held', 'dead', 'suppressed', 'cancelled'";

const BY_REASON: ReadonlySet<ListedState> = new Set([
  "retrying",
  "uncertain",
  "held",
  "dead",
  "suppressed",
  "cancelled",
]);

/** Whether deliveries of this state are found by their reason, and have one. */
export const isByReason = (state: ListedState): boolean => BY_REASON.has(state);

/** When deliveries came to be so: changed, for those with a reason, else made. */
export interface DeliveryWindow {
  readonly since?: Date | undefined;
  readonly before?: Date | undefined;
}

/** Deliveries of one state. */
export interface DeliveryFilter extends DeliveryWindow {
  readonly state: ListedState;
  readonly reason?: string | undefined;
}

/** SQL: what a range of `deliveries_unfinished` has to be for a state. */
export const sqlUnfinished = (state: ListedState): string => {
  const range = {
    waiting: "state = 'queued' and published_at > now()",
    queued: "state = 'queued' and published_at <= now()",
  };
  const own = state === "waiting" || state === "queued" ? range[state] : `state = '${state}'`;
  return `state in (${SQL_UNFINISHED}) and ${own}`;
};

/** SQL: the state that operators see. */
export const SQL_LISTED_STATE = "case when state = 'queued' and next_try_at > now() then 'waiting' else state end";

/** SQL: the groups that are asked for, $1. */
export const SQL_GROUPS = "select value as name from json_array_elements_text($1::json)";

/** SQL: the groups and reasons that there are of a state. By the index alone, however many deliveries have a reason. */
export const sqlReasons = (state: ListedState): string => `
  recursive reasons as (
    select groups.name, first.reason from (${SQL_GROUPS}) as groups cross join lateral (
      select coalesce(reason, '') as reason from deliveries
      where group_name = groups.name and state in (${SQL_BY_REASON}) and state = '${state}'
      order by coalesce(reason, '') limit 1) as first
    union all
    select reasons.name, next.reason from reasons cross join lateral (
      select coalesce(deliveries.reason, '') as reason from deliveries
      where group_name = reasons.name and state in (${SQL_BY_REASON}) and state = '${state}'
        and coalesce(deliveries.reason, '') > reasons.reason
      order by coalesce(deliveries.reason, '') limit 1) as next)`;
