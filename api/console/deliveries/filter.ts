import type { WalkedState } from "../../../database/ledger/facts.ts";
import { WALKED_STATES } from "../../../database/ledger/facts.ts";
import { LISTED_STATES, type ListedState } from "../../../database/ledger/listed.ts";
import type { JobSelection } from "../../../ops/actions/deliveries/job.ts";
import type { Group } from "../../../stream/groups.ts";

/** What a list of deliveries is asked for, as its address has it. */
export interface ListFilter {
  /** Empty: every group. */
  readonly group: string;
  readonly state: ListedState;
  /** Empty: any. */
  readonly reason: string;
  /** As a form has it, in UTC: `2026-11-28T06:05`; empty: no bound. */
  readonly since: string;
  readonly before: string;
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?$/;

const timeOf = (text: string | null): string =>
  text !== null && TIME.test(text) && !Number.isNaN(Date.parse(`${text}Z`)) ? text : "";

/** A filter from an address or a form; what makes no sense in it is left out. */
export const filterOf = (given: URLSearchParams, groups: readonly Group[]): ListFilter => ({
  group: groups.find(({ name }) => name === given.get("group"))?.name ?? "",
  state: LISTED_STATES.find((state) => state === given.get("state")) ?? "dead",
  reason: (given.get("reason") ?? "").slice(0, 128),
  since: timeOf(given.get("since")),
  before: timeOf(given.get("before")),
});

/** A time of a filter. */
export const dateOf = (time: string): Date | undefined => (time === "" ? undefined : new Date(`${time}Z`));

/** The address of a list. */
export const hrefOf = (filter: ListFilter, more: Readonly<Record<string, string>> = {}): string => {
  const query = new URLSearchParams(Object.entries({ ...filter, ...more }).filter(([, value]) => value !== ""));
  return `/console/deliveries?${query.toString()}`;
};

export const groupsOfFilter = ({ group }: ListFilter, groups: readonly Group[]): readonly string[] =>
  group === "" ? groups.map(({ name }) => name) : [group];

const isWalked = (state: ListedState): state is WalkedState => WALKED_STATES.some((each) => each === state);

/** All of a filter, up to now; undefined: nothing is done with all of that state. */
export const allOf = (filter: ListFilter, groups: readonly Group[], now: Date): JobSelection | undefined => {
  const { state, reason, since, before } = filter;
  if (!isWalked(state)) return undefined;
  const start = dateOf(since);
  return {
    kind: "all",
    groups: [...groupsOfFilter(filter, groups)],
    state,
    ...(reason === "" ? {} : { reason }),
    ...(start === undefined ? {} : { since: start.toISOString() }),
    before: (dateOf(before) ?? now).toISOString(),
  };
};

/** The items that were chosen in a list: `group/event id`. */
export const chosenOf = (items: readonly string[]): JobSelection => {
  const chosen: Record<string, string[]> = {};
  for (const item of items) {
    const [group = "", eventId = ""] = item.split("/");
    chosen[group] = [...(chosen[group] ?? []), eventId];
  }
  return { kind: "chosen", chosen };
};
