import { Migrator } from "kysely/migration";
import type { Database } from "./connection.ts";
import { MIGRATIONS } from "./migrations/index.ts";

/**
 * Migrates the database to the latest version; returns the names of the migrations applied. Safe to run twice and at the
 * same time: Kysely's migrator holds an advisory lock. The pool must have one connection, so that the lock, the
 * transaction and the statements share it.
 *
 * @throws the error of the migration that failed; it was rolled back
 */
export const migrateToLatest = async (db: Database): Promise<readonly string[]> => {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => ({ ...MIGRATIONS }) } });
  const { error, results = [] } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
  return results.filter((result) => result.status === "Success").map((result) => result.migrationName);
};
