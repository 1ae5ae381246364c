import { type Database, statement } from "../connection.ts";

/** A rate that an operator ordered for a budget. */
export interface OrderedRate {
  readonly budget: string;
  /** Pieces of work a second, of all consumers together; more than 0. */
  readonly perSecond: number;
  readonly orderedAt: Date;
  readonly by: string;
}

/** The ordered rates of a database. */
export interface Rates {
  /** Replaces the one that was ordered before. */
  save(rate: Omit<OrderedRate, "orderedAt">): Promise<void>;
  /** False if none was ordered. */
  remove(budget: string): Promise<boolean>;
  /** By the budget's name. */
  list(): Promise<readonly OrderedRate[]>;
  /** Pieces a second; undefined if none was ordered. */
  find(budget: string): Promise<number | undefined>;
}

const save = statement<{ budget: string }, [string, number, string]>(`
  insert into ordered_rates (budget, per_second, ordered_by) values ($1::text, $2::float8, $3::text)
  on conflict (budget) do update
    set per_second = excluded.per_second, ordered_by = excluded.ordered_by, ordered_at = now()
  returning budget`);

const remove = statement<{ budget: string }, [string]>(`
  delete from ordered_rates where budget = $1::text returning budget`);

interface RateRow {
  readonly budget: string;
  readonly per_second: number;
  readonly ordered_at: Date;
  readonly ordered_by: string;
}

const list = statement<RateRow, []>("select budget, per_second, ordered_at, ordered_by from ordered_rates order by 1");

const find = statement<{ per_second: number }, [string]>(`
  select per_second from ordered_rates where budget = $1::text`);

export const ratesOf = (db: Database): Rates => ({
  save: async ({ budget, perSecond, by }) => void (await save(db, budget, perSecond, by)),
  remove: async (budget) => (await remove(db, budget)).length === 1,
  list: async () =>
    (await list(db)).map((row) => ({
      budget: row.budget,
      perSecond: row.per_second,
      orderedAt: row.ordered_at,
      by: row.ordered_by,
    })),
  find: async (budget) => (await find(db, budget))[0]?.per_second,
});
