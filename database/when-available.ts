import { backoffMs, jitteredMs } from "../runtime/backoff.ts";
import { pause } from "../runtime/loop.ts";
import type { Database } from "./connection.ts";
import { databaseFault } from "./errors.ts";
import type { LockLimit } from "./lock-timeout.ts";
import { findTableUser, type TableUser } from "./table-user.ts";

export interface WhenAvailableOptions<Result> {
  /** Opens a pool of one connection. */
  readonly open: () => Database;
  /** Changes tables, in one transaction. It begins anew after an outage, or a lock that somebody else has. */
  readonly work: (db: Database, limit: LockLimit) => Promise<Result>;
  /** Longest wait for an unavailable database, and for others' locks, in ms of the monotonic clock. */
  readonly patienceMs: number;
  readonly lockPatienceMs: number;
  /** Called once, with the code of the first failure. */
  readonly onWait: (code: string) => void;
  /** Called whenever it is somebody else who uses a table; undefined: nobody any more, or it is not known. */
  readonly onLocked: (by: TableUser | undefined) => void;
}

const RETRY_MS = 1_000;
/** Below what a signup waits for a lock of a table (`limits.ts`): one that comes while we wait for ours is made, 250 ms later. */
const LOCK_MS = 250;
const FIRST_LOCK_PAUSE_MS = 500;
const MAX_LOCK_PAUSE_MS = 5_000;
/** An autovacuum gives way to whoever has waited for longer than Postgres' `deadlock_timeout`, and to nobody earlier. */
const BEYOND_DEADLOCK_TIMEOUT_MS = 300;

const lockTimeoutFor = (by: TableUser | undefined): number =>
  by?.isAutovacuum === true ? by.deadlockTimeoutMs + BEYOND_DEADLOCK_TIMEOUT_MS : LOCK_MS;

/**
 * Changes tables, and waits while the database is unavailable, or while somebody else uses a table. A lock is awaited only for a moment at a time,
 * since all statements that come later queue behind whoever waits for a table. Each attempt opens its own pool: one that lost its
 * server inside a transaction is not used again.
 *
 * @throws the driver's error after `patienceMs` or `lockPatienceMs`, and any other at once
 */
export const whenAvailable = async <Result>(options: WhenAvailableOptions<Result>): Promise<Result> => {
  const { open, work, patienceMs, lockPatienceMs, onWait, onLocked } = options;
  const startedAt = performance.now();
  let [outages, refusals] = [0, 0];
  let by: TableUser | undefined;

  /** Says whose lock it is, and how long to wait before the next attempt. */
  const findOut = async (db: Database): Promise<number> => {
    const found = await findTableUser(db).catch(() => undefined);
    if (refusals === 0 || found?.pid !== by?.pid) onLocked(found);
    by = found;
    refusals += 1;
    return backoffMs(refusals, FIRST_LOCK_PAUSE_MS, MAX_LOCK_PAUSE_MS, Math.random);
  };

  while (true) {
    const db = open();
    let pauseMs: number;
    try {
      return await work(db, { lockTimeoutMs: lockTimeoutFor(by) });
    } catch (error) {
      const { kind, code } = databaseFault(error);
      const passedMs = performance.now() - startedAt;
      const isOver = passedMs >= (kind === "conflict" ? lockPatienceMs : patienceMs);
      if ((kind !== "unavailable" && kind !== "conflict") || isOver) throw error;
      if (kind === "conflict") pauseMs = await findOut(db);
      else {
        if (outages === 0) onWait(code);
        outages += 1;
        pauseMs = jitteredMs(RETRY_MS, Math.random);
      }
    } finally {
      await db.destroy();
    }
    await pause(pauseMs);
  }
};
