import { jitteredMs } from "../runtime/backoff.ts";
import { pause } from "../runtime/loop.ts";
import type { Database } from "./connection.ts";
import { databaseFault } from "./errors.ts";
import { migrateToLatest } from "./migrate-to-latest.ts";

export interface MigrateOptions {
  /** Opens a pool of one connection. */
  readonly open: () => Database;
  /** Longest wait for an unavailable database, in ms of the monotonic clock. */
  readonly patienceMs: number;
  /** Called once, with the code of the first failure. */
  readonly onWait: (code: string) => void;
}

const RETRY_MS = 1_000;

/**
 * Migrates the database to the latest version, and waits while it is unavailable; returns the names of the migrations
 * applied. Each attempt opens its own pool: one that lost its server inside a transaction is not used again.
 *
 * @throws the driver's error after `patienceMs`, and the error of a migration at once
 */
export const migrateWhenAvailable = async ({
  open,
  patienceMs,
  onWait,
}: MigrateOptions): Promise<readonly string[]> => {
  const startedAt = performance.now();
  for (let failures = 0; ; failures += 1) {
    const db = open();
    try {
      return await migrateToLatest(db);
    } catch (error) {
      const { kind, code } = databaseFault(error);
      if (kind !== "unavailable" || performance.now() - startedAt >= patienceMs) throw error;
      if (failures === 0) onWait(code);
    } finally {
      await db.destroy();
    }
    await pause(jitteredMs(RETRY_MS, Math.random));
  }
};
