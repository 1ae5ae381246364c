import { ratesOf } from "../../database/groups/rates.ts";
import { isSilent } from "../../runtime/situation/facts.ts";
import type { ConsumerReport } from "../../stream/consumer-report.ts";
import { type GroupStatus, readGroupStatus } from "../../stream/group-status.ts";
import { budgetOf, type Group } from "../../stream/groups.ts";
import { clearRate, orderRate } from "../../stream/rates.ts";
import { audited } from "./audited.ts";
import type { Operator } from "./operator.ts";

/** The least and the most that may be ordered, a second. To do nothing at all, a group is paused. */
export const RATE_BOUNDS = { least: 0.01, most: 100_000 } as const;

/** A rate as people type it; undefined: it is none. */
export const rateIn = (text: string): number | undefined => {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  return value >= RATE_BOUNDS.least && value <= RATE_BOUNDS.most ? value : undefined;
};

/** What limits a group, or several that share a budget. */
export interface BudgetState {
  readonly budget: string;
  /** The groups that share it. */
  readonly groups: readonly string[];
  /** What an operator ordered; null: the settings of the consumers are in force. */
  readonly ordered: { readonly perSecond: number; readonly at: Date; readonly by: string } | null;
  /** A second, as its consumers say; the lowest, since they share it. null: not limited, or no consumer runs. */
  readonly inForce: number | null;
  /** What the other system grants a consumer at a time, and its words about it; the least. null: it sets no limit. */
  readonly granted: { readonly allowed: number; readonly words?: string | undefined } | null;
  /** Pieces finished in the last full minute, and in the last hour. */
  readonly lastMinute: number;
  readonly lastHour: number;
}

const reportsOf = ({ consumers }: GroupStatus): readonly ConsumerReport[] =>
  consumers.flatMap(({ silentMs, report }) =>
    report === null || silentMs === null || isSilent({ silentMs }) ? [] : [report],
  );

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);

/** The groups that share a budget with this one, itself among them. */
export const sharersOf = (groups: readonly Group[], group: Group): readonly string[] =>
  groups.filter((each) => budgetOf(each) === budgetOf(group)).map(({ name }) => name);

/** The state of each budget that these groups have. */
export const readBudgets = async (
  { db, redis, keys, groups }: Pick<Operator, "db" | "redis" | "keys" | "groups">,
  wanted: readonly Group[] = groups,
): Promise<readonly BudgetState[]> => {
  const ordered = await ratesOf(db).list();
  const names = [...new Set(wanted.map(budgetOf))];
  return Promise.all(
    names.map(async (budget): Promise<BudgetState> => {
      const sharers = groups.filter((group) => budgetOf(group) === budget).map(({ name }) => name);
      const statuses = await Promise.all(sharers.map((name) => readGroupStatus(redis, keys, name)));
      const order = ordered.find((each) => each.budget === budget);
      const reports = statuses.flatMap(reportsOf);
      const said = reports.flatMap(({ ratePerSecond }) => ratePerSecond ?? []);
      const grants = reports.flatMap(({ granted }) => granted ?? []);
      return {
        budget,
        groups: sharers,
        ordered: order === undefined ? null : { perSecond: order.perSecond, at: order.orderedAt, by: order.by },
        inForce: said.length === 0 ? null : Math.min(...said),
        granted: grants.toSorted((left, right) => left.allowed - right.allowed)[0] ?? null,
        lastMinute: sum(statuses.map(({ lastHour }) => lastHour.perMinute.at(-2) ?? 0)),
        lastHour: sum(statuses.map(({ lastHour }) => lastHour.total)),
      };
    }),
  );
};

/** Orders a rate for the budget of a group; its consumers keep to it within seconds. False: Redis has no copy yet. */
export const setRate = audited({
  name: "rate",
  describe: ([group, perSecond]) => ({
    group: group.name,
    arguments: { budget: budgetOf(group), per_second: perSecond },
  }),
  run: async ({ db, redis, keys, audit }: Operator, group: Group, perSecond: number) =>
    orderRate({ rates: ratesOf(db), redis, keys }, { budget: budgetOf(group), perSecond, by: audit.actor }),
  resultOf: () => ({ affected: 1 }),
});

/** Ends the ordered rate of a group's budget: the settings of its consumers are in force again. */
export const endRate = audited({
  name: "rate clear",
  describe: ([group]) => ({ group: group.name, arguments: { budget: budgetOf(group) } }),
  run: async ({ db, redis, keys }: Operator, group: Group) =>
    clearRate({ rates: ratesOf(db), redis, keys }, budgetOf(group)),
  resultOf: ({ wasOrdered }) => ({ affected: Number(wasOrdered) }),
});
