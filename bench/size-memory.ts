import { type Database, statement } from "../database/connection.ts";

const extension = statement<never, []>("create extension if not exists pg_prewarm");
const read = statement<{ bytes: string }, []>(`
  select coalesce(sum(pg_prewarm(indexrelid::regclass)), 0) * current_setting('block_size')::int as bytes
  from pg_index where indrelid = 'users'::regclass and indisunique and not indisprimary`);

/**
 * Reads into `shared_buffers` what each signup reads a page of, and has no order in time: the unique indexes of names and addresses. Days
 * of signups do the same; whatever else signups and consumers read is at the ends of tables and indexes. Returns how many bytes.
 */
export const warmUp = async (db: Database): Promise<number> => {
  await extension(db);
  return Number((await read(db))[0]?.bytes);
};
