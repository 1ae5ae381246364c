import { Migrator } from "kysely/migration";
import type { Database } from "./connection.ts";
import { MIGRATIONS } from "./migrations/index.ts";

/**
 * Brings the database up to date; returns the names of what was applied, none if it was. Safe to run twice and from two
 * places at once: Kysely's migrator holds an advisory lock. The pool must have one connection, so that the lock, the
 * transaction and the statements share it.
 *
 * @throws the error of the migration that failed; it has left nothing behind
 */
export const migrateToLatest = async (db: Database): Promise<readonly string[]> => {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => ({ ...MIGRATIONS }) } });
  const { error, results = [] } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
  return results.filter((result) => result.status === "Success").map((result) => result.migrationName);
};
