import { type Database, statement } from "../database/connection.ts";
import type { SizeCase } from "./size-cases.ts";

/** What one call takes, whatever else the machine does meanwhile. */
export interface Pages {
  /** Pages of tables and indexes that it looks at. */
  readonly touched: number;
  /** Of these, the ones that were not in `shared_buffers`. */
  readonly read: number;
}

/** Counts pages for each database; it has to be loaded when the server starts. */
export const COUNTS_PAGES = "shared_preload_libraries=pg_stat_statements";

const extension = statement<never, []>("create extension if not exists pg_stat_statements");
const soFar = statement<Pages, []>(`
  select coalesce(sum(shared_blks_hit + shared_blks_read), 0)::float8 as touched, coalesce(sum(shared_blks_read), 0)::float8 as read
  from pg_stat_statements where dbid = (select oid from pg_database where datname = current_database())`);

const CALLS = 20;

/** Pages of a call of each case, by its name: the mean of some. */
export const countPages = async (db: Database, cases: readonly SizeCase[]): Promise<ReadonlyMap<string, Pages>> => {
  await extension(db);
  const sums = new Map<string, Pages>();
  const look = async (): Promise<Pages> => (await soFar(db))[0] ?? { touched: 0, read: 0 };
  for (let call = 0; call < CALLS; call += 1) {
    for (const { name, run } of cases) {
      const before = await look();
      await run();
      const after = await look();
      const sum = sums.get(name) ?? { touched: 0, read: 0 };
      sums.set(name, {
        touched: sum.touched + (after.touched - before.touched) / CALLS,
        read: sum.read + (after.read - before.read) / CALLS,
      });
    }
  }
  return sums;
};
