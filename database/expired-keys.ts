import { type Database, statement } from "./connection.ts";

const remove = statement<{ key_hash: Buffer }, [number]>(`
  delete from idempotency_keys where key_hash in (
    select key_hash from idempotency_keys where created_at < now() - interval '24 hours'
    order by created_at limit $1::int for update skip locked)
  returning key_hash`);

/** Deletes Idempotency-Keys that are older than a day, at most `limit`; returns how many went. */
export const deleteExpiredKeys = async (db: Database, limit: number): Promise<number> =>
  (await remove(db, limit)).length;
