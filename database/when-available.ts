import { backoffMs, jitteredMs } from "../runtime/backoff.ts";
import { pause } from "../runtime/loop.ts";
import type { Database } from "./connection.ts";
import { databaseFault } from "./errors.ts";
import { DEADLINE_MS } from "./limits.ts";
import { type LockHolder, watchLockHolder } from "./lock-holder.ts";
import type { LockLimit } from "./lock-timeout.ts";

export interface WhenAvailableOptions<Result> {
  /** Opens a pool of one connection whose statements take up to so many ms. */
  readonly open: (deadlineMs: number) => Database;
  /** Changes tables, in one transaction. It begins anew after an outage, or a lock that somebody else has. */
  readonly work: (db: Database, limit: LockLimit) => Promise<Result>;
  /** Longest row of outages, and longest wait for others' locks, each from its first failure, in ms of the monotonic clock. */
  readonly patienceMs: number;
  readonly lockPatienceMs: number;
  readonly now?: () => number;
  /** Called once for a row of outages, with the code of the first failure. */
  readonly onWait: (code: string) => void;
  /** Called whenever it is somebody else who has the lock; undefined: nobody any more, or it is not known. */
  readonly onLocked: (by: LockHolder | undefined) => void;
}

const RETRY_MS = 1_000;
/** Below what a signup waits for a lock of a table (`limits.ts`): one that comes while we wait for ours is made, 250 ms later. */
const LOCK_MS = 250;
const FIRST_LOCK_PAUSE_MS = 500;
const MAX_LOCK_PAUSE_MS = 5_000;
/** Signups that come while we wait for longer than they do are refused: so not for longer than this. */
export const MAX_GIVES_WAY_MS = 2_000;
const BEYOND_DEADLOCK_TIMEOUT_MS = 300;

/**
 * How long the next attempt waits for a lock, in ms. If it is an autovacuum that has it: once until that gives way, then briefly again,
 * since some never do. `waited` keeps for whom.
 */
export const nextLockWaitMs = (by: LockHolder | undefined, waited: Set<string>): number => {
  if (by?.givesWayAfterMs === undefined || by.givesWayAfterMs > MAX_GIVES_WAY_MS) return LOCK_MS;
  const key = `${by.pid} ${by.table}`;
  if (waited.has(key)) return LOCK_MS;
  waited.add(key);
  return by.givesWayAfterMs + BEYOND_DEADLOCK_TIMEOUT_MS;
};

/**
 * Changes tables, and waits while the database is unavailable, or while somebody else uses a table. A lock is awaited only for a moment at a time,
 * since all statements that come later queue behind whoever waits for a table. Each attempt opens its own pool: one that lost its
 * server inside a transaction is not used again.
 *
 * @throws the driver's error after `patienceMs` or `lockPatienceMs`, and any other at once
 */
export const whenAvailable = async <Result>(options: WhenAvailableOptions<Result>): Promise<Result> => {
  const { open, work, patienceMs, lockPatienceMs, onWait, onLocked } = options;
  const now = options.now ?? (() => performance.now());
  const waited = new Set<string>();
  let refusals = 0;
  let refusedSince: number | undefined;
  let outageSince: number | undefined;
  let by: LockHolder | undefined;

  const attempt = async (lockTimeoutMs: number, onFound: (holder: LockHolder) => void): Promise<Result> => {
    const db = open(Number.POSITIVE_INFINITY);
    const watching = open(DEADLINE_MS);
    const ended = new AbortController();
    // Who cannot look waits all the same.
    const onBegin = (pid: number) => void watchLockHolder(watching, pid, ended.signal, onFound).catch(() => {});
    try {
      return await work(db, { lockTimeoutMs, onBegin });
    } finally {
      ended.abort();
      await Promise.all([db.destroy(), watching.destroy()]);
    }
  };

  /** Says whose lock it is; returns how long to wait before the next attempt. */
  const refused = (found: LockHolder | undefined): number => {
    if (refusals === 0 || found?.pid !== by?.pid) onLocked(found);
    by = found;
    refusals += 1;
    return backoffMs(refusals, FIRST_LOCK_PAUSE_MS, MAX_LOCK_PAUSE_MS, Math.random);
  };

  while (true) {
    let found: LockHolder | undefined;
    try {
      return await attempt(nextLockWaitMs(by, waited), (holder) => (found = holder));
    } catch (error) {
      const { kind, code } = databaseFault(error);
      if (kind === "conflict") {
        outageSince = undefined;
        refusedSince ??= now();
        if (now() - refusedSince >= lockPatienceMs) throw error;
        await pause(refused(found));
      } else if (kind === "unavailable") {
        const since = outageSince ?? now();
        if (now() - since >= patienceMs) throw error;
        if (outageSince === undefined) onWait(code);
        outageSince = since;
        await pause(jitteredMs(RETRY_MS, Math.random));
      } else throw error;
    }
  }
};
