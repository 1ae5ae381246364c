import { sql } from "kysely";
import { Migrator } from "kysely/migration";
import type { Database } from "./connection.ts";
import { type LockLimit, limitLockWaits } from "./lock-timeout.ts";
import { MIGRATIONS } from "./migrations/index.ts";

/** Kysely's own, which earlier versions of this command take for the session. */
const LOCK = 3_853_314_791_062_309_107n;

/**
 * Migrates the database to the latest version, in one transaction; returns the names of the migrations applied. Safe to run twice and at the
 * same time: an advisory lock, of the transaction, lets one begin when the other has ended. No limit: no wait for a lock is limited.
 *
 * @throws the error of the migration that failed, and 55P03 if a lock was not free in time; all was rolled back
 */
export const migrateToLatest = (db: Database, limit?: LockLimit): Promise<readonly string[]> =>
  db.transaction().execute(async (transaction) => {
    if (limit !== undefined) await limitLockWaits(transaction, limit);
    await sql`select pg_advisory_xact_lock(${sql.lit(LOCK)})`.execute(transaction);
    const migrator = new Migrator({ db: transaction, provider: { getMigrations: async () => ({ ...MIGRATIONS }) } });
    const { error, results = [] } = await migrator.migrateToLatest();
    if (error !== undefined) throw error;
    return results.filter((result) => result.status === "Success").map((result) => result.migrationName);
  });
