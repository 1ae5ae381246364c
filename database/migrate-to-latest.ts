import { sql } from "kysely";
import { type Migration, type MigrationResultSet, Migrator } from "kysely/migration";
import { pause } from "../runtime/loop.ts";
import type { Database } from "./connection.ts";
import { type LockLimit, limitLockWaits } from "./lock-timeout.ts";
import { MIGRATIONS } from "./migrations/index.ts";

/** Kysely's own, which earlier versions of this command take for the session. */
const LOCK = 3_853_314_791_062_309_107n;

const LOOK_AGAIN_MS = 100;

/**
 * Work that a transaction would keep from ending for as long as it takes: an index of a large table, made `concurrently`, or rows changed some
 * thousand at a time. It may be cut off anywhere, and then begins anew: it has to do no harm when repeated.
 */
export interface LongMigration {
  /** Each statement is a transaction of its own. */
  readonly beside: (db: Database) => Promise<void>;
}

export type Migrations = Readonly<Record<string, Migration | LongMigration>>;

const isLong = (migration: Migration | LongMigration): migration is LongMigration => "beside" in migration;

export interface MigrateOptions {
  readonly limit?: LockLimit | undefined;
  readonly migrations?: Migrations;
  /** Called with the name of each migration once it is committed: what comes later may fail. */
  readonly onApplied?: (name: string) => void;
}

/**
 * Migrates the database to the latest version; returns the names of the migrations applied. Those before and after a long one are each in one
 * transaction. Safe to run twice and at the same time: an advisory lock, of the transaction, lets one begin when the other has ended. While a long
 * one runs the transaction that holds it is idle, and has no snapshot for which `create index concurrently` would wait.
 *
 * @throws the error of the migration that failed, and 55P03 if a lock was not free in time; all that is not long was rolled back
 */
export const migrateToLatest = async (
  db: Database,
  { limit, migrations = MIGRATIONS, onApplied = () => {} }: MigrateOptions = {},
): Promise<readonly string[]> => {
  const toRecord = Object.fromEntries(
    Object.entries(migrations).map(([name, each]) => [name, isLong(each) ? { up: async () => {} } : each]),
  );
  const applied: string[] = [];
  const inTransaction = async (work: (migrator: Migrator) => Promise<readonly string[]>): Promise<void> => {
    const made = await db.transaction().execute(async (transaction) => {
      if (limit !== undefined) await limitLockWaits(transaction, limit);
      // Behind a pooler that of the role applies.
      await sql`set local idle_in_transaction_session_timeout = 0`.execute(transaction);
      await takeLock(transaction, limit);
      return work(new Migrator({ db: transaction, provider: { getMigrations: async () => toRecord } }));
    });
    for (const name of made) onApplied(name);
    applied.push(...made);
  };
  const isOpen = async (migrator: Migrator, name: string): Promise<boolean> =>
    (await migrator.getMigrations()).some((each) => each.name === name && each.executedAt === undefined);
  const names = Object.keys(migrations);
  for (const [index, name] of names.entries()) {
    const [migration, before] = [migrations[name], names[index - 1]];
    if (migration === undefined || !isLong(migration)) continue;
    if (before !== undefined) {
      await inTransaction(async (migrator) =>
        (await isOpen(migrator, before)) ? namesOf(await migrator.migrateTo(before)) : [],
      );
    }
    await inTransaction(async (migrator) => {
      if (!(await isOpen(migrator, name))) return [];
      await migration.beside(db);
      return namesOf(await migrator.migrateTo(name));
    });
  }
  await inTransaction(async (migrator) => namesOf(await migrator.migrateToLatest()));
  return applied;
};

/**
 * Whoever waits for a lock has a snapshot, for whose end an index that is made `concurrently` waits: so not for longer than the limit, and
 * without one not at all.
 */
const takeLock = async (transaction: Database, limit: LockLimit | undefined): Promise<void> => {
  if (limit !== undefined) {
    await sql`select pg_advisory_xact_lock(${sql.lit(LOCK)})`.execute(transaction);
    return;
  }
  while (true) {
    const { rows } = await sql<{ taken: boolean }>`
      select pg_try_advisory_xact_lock(${sql.lit(LOCK)}) as taken`.execute(transaction);
    if (rows[0]?.taken === true) return;
    await pause(LOOK_AGAIN_MS);
  }
};

/** @throws the error of the migration that failed */
const namesOf = ({ error, results = [] }: MigrationResultSet): readonly string[] => {
  if (error !== undefined) throw error;
  return results.filter((result) => result.status === "Success").map((result) => result.migrationName);
};
