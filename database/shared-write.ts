import { createBatches } from "../runtime/batcher.ts";
import { createSlots } from "../runtime/slots.ts";
import { createAwaitedTable, type Left } from "./awaited-table.ts";
import { databaseFault, isLocked, RowLocked, TableLocked } from "./errors.ts";
import { ServerSilent } from "./pool-errors.ts";
import { createQuickCommits } from "./quick-commits.ts";
import { firstOfEachKey, partsOf } from "./split.ts";
import { WaitingRow } from "./waiting-row.ts";

/** How a statement writes rows. */
export interface Writing {
  /** Longest wait for a lock. */
  readonly lockTimeoutMs: number;
  /** Whether it may be sent behind another one, on the same connection. */
  readonly isPipelined: boolean;
}

export interface SharedWriteOptions<Row, Result> {
  /** What a row may have to wait for: rows that have one in common wait together. */
  readonly keysOf: (row: Row) => readonly string[];
  /**
   * Writes rows in one statement or several, each of which waits for a lock for at most `lockTimeoutMs`. Calls `settle` for
   * each row as soon as its result is committed, or `fail` if it has none.
   */
  readonly write: (
    rows: readonly Row[],
    how: Writing,
    settle: (row: Row, result: Result) => void,
    fail: (row: Row, error: unknown) => void,
  ) => Promise<void>;
  /** Longest wait, in ms, of a row that a statement has left behind; 800 if not given. */
  readonly apartLockMs?: number | undefined;
}

/** Writes rows, those that arrive while a statement runs in the next one. */
export interface SharedWriter<Row, Result> {
  /** @throws the driver's error if the database is unavailable or refuses this row; never because of another row */
  write(row: Row): Promise<Result>;
  /** Resolves when no row is queued or in flight. */
  idle(): Promise<void>;
}

const MAX_BATCH = 128;
/**
 * While one runs, what arrives shares the next statement, because a larger one costs each less. Only a second one of the same size is sent
 * meanwhile: Postgres works on the one half while the process answers and reads the other. Where commits are quick it waits behind the first, on
 * the same connection, so Postgres has it when it is done with that one, and leaves a processor to us. Parts have connections beside them.
 */
const MAX_IN_FLIGHT = 2;
const BESIDE_FROM = 8;
/** Longest wait of a statement that rows share. Our own statements hold their locks for less. */
const SHARED: Writing = { lockTimeoutMs: 10, isPipelined: false };
const SHARED_IN_LINE: Writing = { ...SHARED, isPipelined: true };
/** The same, of a part of one that met a lock: the lock is still there, most likely, and a row set apart too early only waits there. */
const PART: Writing = { lockTimeoutMs: 2, isPipelined: false };
/**
 * Longest wait of a row that a statement has left behind, and how many wait at the same time, each on a connection. Below what a connection
 * waits for a table (`table-gates.ts`).
 */
const APART_LOCK_MS = 800;
const MAX_APART = 3;
const MAX_WAITING_APART = 256;
/** Longest wait of one whose lock may have ended for a look whether it has: one looks at a time. */
const LOOK_WITHIN_MS = 300;
/** Parts that are written at a time, of all batches that were split. */
const MAX_PARTS = 3;
/** Then what is left of a batch waits apart, whatever else makes statements slow. */
const SPLIT_FOR_MS = 3_000;
/** For so long after a row waited in vain, others with one of its keys do not share: clients ask again. */
const REMEMBERED_MS = 5_000;
const MAX_REMEMBERED = 1_000;

/** Too many others wait for locks. */
class NoTurn extends RowLocked {}

/**
 * Shares statements among rows so that no row fails or waits because of another. A statement that meets a lock of somebody
 * else fails soon, and is split until the row that needs the lock is alone. That row waits apart, for a time of its own, with
 * a bound on how many do; so do later rows with one of its keys, also for some time after. The server ends the wait, so a row that is answered with
 * `RowLocked`'s code is never written afterwards.
 */
export const createSharedWriter = <Row, Result>({
  keysOf,
  write,
  apartLockMs = APART_LOCK_MS,
}: SharedWriteOptions<Row, Result>): SharedWriter<Row, Result> => {
  type Call = WaitingRow<Row, Result>;
  const waitingApart: Writing = { lockTimeoutMs: apartLockMs, isPipelined: false };
  const slots = createSlots({
    size: MAX_APART,
    maxWaitMs: apartLockMs,
    maxWaiting: MAX_WAITING_APART,
    onFull: () => new NoTurn(),
  });
  const looks = createSlots({ size: 1, maxWaitMs: LOOK_WITHIN_MS, onFull: () => new NoTurn() });
  const parts = createSlots({ size: MAX_PARTS, maxWaitMs: Number.POSITIVE_INFINITY, onFull: () => new RowLocked() });
  /** The last row that waits for each key; it never rejects. */
  const apart = new Map<string, Promise<boolean>>();
  /** Until when a key counts as locked. Monotonic, ms; the oldest first. */
  const remembered = new Map<string, number>();

  const remember = (row: Row): void => {
    for (const key of keysOf(row)) {
      remembered.delete(key);
      remembered.set(key, performance.now() + REMEMBERED_MS);
    }
    for (const [key, until] of remembered) {
      if (remembered.size <= MAX_REMEMBERED && until > performance.now()) break;
      remembered.delete(key);
    }
  };

  const run = async (calls: readonly Call[], how: Writing): Promise<void> => {
    const byRow = new Map<Row, Call>();
    for (const call of calls) byRow.set(call.row, call);
    await write(
      calls.map(({ row }) => row),
      how,
      (row, result) => byRow.get(row)?.resolve(result),
      (row, error) => byRow.get(row)?.reject(error),
    );
    for (const call of calls) if (call.isOpen) call.reject(new Error("a row was written without a result"));
  };

  /** Whether a row was written, or refused, because its lock has ended. */
  const isFree = async (call: Call): Promise<boolean> => {
    try {
      await looks.run(() => run([call], PART));
      return true;
    } catch (error) {
      if (isLocked(error)) return false;
      throw error;
    }
  };

  /** Returns whether it has seen the lock at its end. */
  const waitApart = async (call: Call, earlier: readonly Promise<boolean>[], hasMet: boolean): Promise<boolean> => {
    const since = performance.now();
    let isMet = hasMet;
    try {
      isMet = (await Promise.all(earlier)).includes(true) || hasMet;
      // For a turn among those that wait for other locks it might wait in vain.
      if (!isMet && (await isFree(call))) return false;
      isMet = true;
      if (performance.now() - since >= apartLockMs) throw new RowLocked();
      await slots
        .run(() => run([call], waitingApart))
        .catch(async (error: unknown) => {
          // While it waited for a turn its lock may have ended.
          if (!(error instanceof NoTurn) || !(await isFree(call))) throw error;
        });
      return false;
    } catch (error) {
      call.reject(error);
      if (!isMet || !isLocked(error)) return false;
      remember(call.row);
      return !(error instanceof NoTurn);
    }
  };

  /** `hasMet`: it has just met its lock. Else that of a row with one of its keys is known, and may have ended. */
  const setApart = (call: Call, hasMet: boolean): void => {
    const keys = keysOf(call.row);
    const earlier = keys.flatMap((key) => apart.get(key) ?? []);
    const end = waitApart(call, earlier, hasMet).finally(() => {
      for (const key of keys) if (apart.get(key) === end) apart.delete(key);
    });
    for (const key of keys) apart.set(key, end);
  };

  const isApart = (row: Row): boolean =>
    // As long as nothing is locked no key is made: a row is asked for twice.
    apart.size + remembered.size > 0 &&
    keysOf(row).some((key) => apart.has(key) || (remembered.get(key) ?? 0) > performance.now());

  /** Those that need not wait apart; the others do from now on. */
  const setLateApart = (calls: readonly Call[]): readonly Call[] => {
    if (apart.size + remembered.size === 0) return calls;
    const { late = [], free = [] } = Object.groupBy(calls, ({ row }) => (isApart(row) ? "late" : "free"));
    for (const call of late) setApart(call, false);
    return free;
  };

  /** Writes rows in one statement. Never rejects: each call is settled, waits apart, or is left because another may be at fault. */
  const share = async (calls: readonly Call[], how: Writing): Promise<Left<Call>> => {
    try {
      if (calls.length > 0) await run(calls, how);
      return { calls: [] };
    } catch (error) {
      const open = calls.filter((call) => call.isOpen);
      if (error instanceof TableLocked) return { calls: open, tableLocked: error };
      if (error instanceof ServerSilent) silence = { error, at: performance.now() };
      const [only] = open;
      if (databaseFault(error).kind === "unavailable") for (const call of open) call.reject(error);
      else if (only !== undefined && calls.length === 1) isLocked(error) ? setApart(only, true) : only.reject(error);
      else return { calls: open };
      return { calls: [] };
    }
  };

  /** How a statement has found out, and when, that Postgres answers nobody. Monotonic, ms. */
  let silence: { readonly error: ServerSilent; readonly at: number } | undefined;

  /** Those that came since then. What was queued meanwhile would wait for as long again. */
  const refuseEarlier = (calls: readonly Call[]): readonly Call[] => {
    if (silence === undefined) return calls;
    const { error, at } = silence;
    for (const call of calls) if (call.since <= at) call.reject(error);
    return calls.filter((call) => call.isOpen);
  };

  const table = createAwaitedTable<Call>({
    maxBatch: MAX_BATCH,
    share: (calls) => share(calls, SHARED),
    onFree: (left, others) => {
      if (left.length > 0) startSplitting({ calls: left });
      others.forEach(addToBatch);
    },
  });

  const writePart = async (part: readonly Call[], since: number): Promise<void> => {
    const calls = refuseEarlier(part);
    if (performance.now() - since >= SPLIT_FOR_MS) {
      for (const call of calls) setApart(call, true);
      return;
    }
    await split(await parts.run(() => share(setLateApart(calls), PART)), since);
  };

  /** Writes in ever smaller statements what one has left. Never rejects: each call is settled, or waits apart. */
  const split = async (left: Left<Call>, since: number): Promise<void> => {
    const { calls, tableLocked } = left;
    if (calls.length === 0) return;
    if (tableLocked !== undefined || table.isLocked()) return table.wait(calls, tableLocked);
    const [firsts, others] = firstOfEachKey(calls, keysOf);
    await Promise.all(partsOf(firsts).map((part) => writePart(part, since)));
    // By now those that need the same lock as an earlier one are known.
    if (others.length > 0) await writePart(others, since);
  };

  const splitting = new Set<Promise<void>>();
  const startSplitting = (left: Left<Call>): void => {
    const end = split(left, performance.now()).finally(() => splitting.delete(end));
    splitting.add(end);
  };
  const commits = createQuickCommits();
  let answeredAt = 0;
  const shareWithAll = async (calls: readonly Call[]): Promise<Left<Call>> => {
    const how = commits.areQuick() ? SHARED_IN_LINE : SHARED;
    const sentAt = performance.now();
    const left = await share(calls, how);
    const now = performance.now();
    const tookMs = now - (how.isPipelined ? Math.max(sentAt, answeredAt) : sentAt);
    // What was refused has committed nothing.
    if (calls.some((call) => call.isWritten)) commits.note(tookMs, calls.length);
    answeredAt = now;
    return left;
  };

  const batches = createBatches<Call>({
    maxBatch: MAX_BATCH,
    maxInFlight: MAX_IN_FLIGHT,
    besideFrom: BESIDE_FROM,
    // Requests that arrive together: else the first would be written alone, and the others wait for it.
    soon: setImmediate,
    run: async (queued) => {
      const calls = refuseEarlier(queued);
      const left = table.isLocked() ? { calls } : await shareWithAll(setLateApart(calls));
      // Not awaited: rows that arrive meanwhile share the next statement.
      if (left.calls.length > 0) startSplitting(left);
    },
  });
  const addToBatch = (call: Call): void => {
    try {
      batches.add(call);
    } catch (error) {
      call.reject(error);
    }
  };

  return {
    write: (row) =>
      new Promise((resolve, reject) => {
        const call: Call = new WaitingRow(row, resolve, reject);
        if (isApart(row)) setApart(call, false);
        // What it throws rejects.
        else batches.add(call);
      }),
    async idle() {
      await batches.idle();
      while (splitting.size > 0) {
        await Promise.all(splitting);
        // A table that is free again: what waited for it.
        await batches.idle();
      }
      await Promise.all(apart.values());
    },
  };
};
