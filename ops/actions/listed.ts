import { BACKLOG_BOUND } from "../../database/ledger/counts.ts";
import { countReasonsOf, type DeliveryPage, listDeliveries } from "../../database/ledger/list.ts";
import type { DeliveryFilter, ListedState } from "../../database/ledger/listed.ts";
import type { Group } from "../../stream/groups.ts";
import { NotFound, type Operator } from "./operator.ts";

/** Deliveries of one state, and how many there are by reason, listed or not. */
export interface DeliveryList extends DeliveryPage {
  /** Each counted up to a bound; of a state that has no reasons: none. */
  readonly byReason: Readonly<Record<string, number>>;
}

export interface ListOptions extends DeliveryFilter {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

const unknownReason = (state: ListedState, reason: string, known: Iterable<string>): NotFound => {
  const names = [...new Set(known)].sort().join(", ");
  return new NotFound(`no delivery is ${state} for the reason ${reason}; there are: ${names === "" ? "none" : names}`);
};

/**
 * The deliveries of groups in one state, the latest change first.
 *
 * @throws {NotFound} naming the reasons that there are, if none in the state has the one that is asked for
 */
export const listByState = async (
  { db }: Pick<Operator, "db">,
  of: readonly Group[],
  options: ListOptions,
): Promise<DeliveryList> => {
  const groups = of.map(({ name }) => name);
  const { state, reason, since, before } = options;
  const [page, counts] = await Promise.all([
    listDeliveries(db, { ...options, groups }),
    countReasonsOf(db, { groups, state, since, before }),
  ]);
  const byReason: Record<string, number> = {};
  for (const { reason: name, count } of counts) byReason[name] = (byReason[name] ?? 0) + count;
  if (reason !== undefined && page.deliveries.length === 0 && byReason[reason] === undefined) {
    const everywhen = await countReasonsOf(db, { groups, state });
    const known = everywhen.map((count) => count.reason);
    if (!known.includes(reason)) throw unknownReason(state, reason, known);
  }
  return { ...page, byReason };
};

/** How many deliveries of groups are in a state; `isBound`: at least so many. */
export interface StateCount {
  readonly count: number;
  readonly isBound: boolean;
}

/**
 * Counts the deliveries of groups in one state, for one reason or for any.
 *
 * @throws {NotFound} naming the reasons that there are, if none in the state has the one that is asked for
 */
export const countInState = async (
  { db }: Pick<Operator, "db">,
  of: readonly Group[],
  { state, reason }: Pick<DeliveryFilter, "state" | "reason">,
): Promise<StateCount> => {
  const all = await countReasonsOf(db, { groups: of.map(({ name }) => name), state });
  const meant = all.filter((each) => reason === undefined || each.reason === reason);
  if (reason !== undefined && meant.length === 0) {
    throw unknownReason(
      state,
      reason,
      all.map((each) => each.reason),
    );
  }
  return {
    count: meant.reduce((total, { count }) => total + count, 0),
    isBound: meant.some(({ count }) => count >= BACKLOG_BOUND),
  };
};
