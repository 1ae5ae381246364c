import { createBatcher } from "../runtime/batcher.ts";
import { createSlots } from "../runtime/slots.ts";
import { databaseFault, isLocked, RowLocked } from "./errors.ts";

export interface SharedWriteOptions<Row, Result> {
  /** What a row may have to wait for: rows that have one in common wait together. */
  readonly keysOf: (row: Row) => readonly string[];
  /**
   * Writes rows in one statement or several, each of which waits for a lock for at most `lockTimeoutMs`. Calls `settle` for
   * each row as soon as its result is committed.
   */
  readonly write: (
    rows: readonly Row[],
    lockTimeoutMs: number,
    settle: (row: Row, result: Result) => void,
  ) => Promise<void>;
}

/** Writes rows, those that arrive while a statement runs in the next one. */
export interface SharedWriter<Row, Result> {
  /** @throws the driver's error if the database is unavailable or refuses this row; never because of another row */
  write(row: Row): Promise<Result>;
  /** Resolves when no row is queued or in flight. */
  idle(): Promise<void>;
}

const MAX_BATCH = 128;
/** One: what arrives while it runs shares the next statement, and a larger statement costs each less. */
const MAX_IN_FLIGHT = 1;
/** Longest wait of a statement that rows share. Our own statements hold their locks for less. */
const SHARED_LOCK_MS = 10;
/** Longest wait of a row that a statement has left behind, and how many wait at the same time, each on a connection. */
const APART_LOCK_MS = 1_000;
const MAX_APART = 4;
const MAX_WAITING_APART = 256;
/** Parts that a batch is split into when one of its rows may be at fault: 128 rows, 16, 2, 1. So many are written at a time. */
const SPLIT_INTO = 8;
const MAX_PARTS = 4;
/**
 * How long a batch is split; then what is left of it waits apart. So many locked rows are not found one by one, and a locked
 * table not at all: each statement waits for it before it begins, for as long as its connection allows.
 */
const SPLIT_FOR_MS = 500;
/** For so long after a row waited in vain, others with one of its keys do not share: clients ask again. */
const REMEMBERED_MS = 5_000;
const MAX_REMEMBERED = 1_000;

class Waiting<Row, Result> {
  readonly row: Row;
  readonly #resolvers = Promise.withResolvers<Result>();
  isOpen = true;

  constructor(row: Row) {
    this.row = row;
  }

  get result(): Promise<Result> {
    return this.#resolvers.promise;
  }

  resolve(result: Result): void {
    this.isOpen = false;
    this.#resolvers.resolve(result);
  }

  reject(error: unknown): void {
    this.isOpen = false;
    this.#resolvers.reject(error);
  }
}

const partsOf = <Each>(all: readonly Each[]): readonly (readonly Each[])[] => {
  const size = Math.ceil(all.length / SPLIT_INTO);
  return Array.from({ length: Math.ceil(all.length / size) }, (_, index) =>
    all.slice(index * size, (index + 1) * size),
  );
};

/**
 * Shares statements among rows so that no row fails or waits because of another. A statement that meets a lock of somebody
 * else fails soon, and is split until the row that needs the lock is alone. That row waits apart, for a time of its own, with
 * a bound on how many do; so do later rows with one of its keys, also for some time after. The server ends the wait, so a row that is answered with
 * `RowLocked`'s code is never written afterwards.
 */
export const createSharedWriter = <Row, Result>({
  keysOf,
  write,
}: SharedWriteOptions<Row, Result>): SharedWriter<Row, Result> => {
  type Call = Waiting<Row, Result>;
  const slots = createSlots({
    size: MAX_APART,
    maxWaitMs: APART_LOCK_MS,
    maxWaiting: MAX_WAITING_APART,
    onFull: () => new RowLocked(),
  });
  const parts = createSlots({ size: MAX_PARTS, maxWaitMs: Number.POSITIVE_INFINITY, onFull: () => new RowLocked() });
  /** The last row that waits for each key; it never rejects. */
  const apart = new Map<string, Promise<void>>();
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

  const run = async (calls: readonly Call[], lockTimeoutMs: number): Promise<void> => {
    const byRow = new Map(calls.map((call) => [call.row, call]));
    await write([...byRow.keys()], lockTimeoutMs, (row, result) => byRow.get(row)?.resolve(result));
    for (const call of calls) if (call.isOpen) call.reject(new Error("a row was written without a result"));
  };

  const waitApart = async (call: Call, earlier: readonly Promise<void>[]): Promise<void> => {
    const since = performance.now();
    await Promise.all(earlier);
    try {
      if (performance.now() - since >= APART_LOCK_MS) throw new RowLocked();
      await slots.run(() => run([call], APART_LOCK_MS));
    } catch (error) {
      if (isLocked(error)) remember(call.row);
      call.reject(error);
    }
  };

  const setApart = (call: Call): void => {
    const keys = keysOf(call.row);
    const end = waitApart(
      call,
      keys.flatMap((key) => apart.get(key) ?? []),
    ).then(() => {
      for (const key of keys) if (apart.get(key) === end) apart.delete(key);
    });
    for (const key of keys) apart.set(key, end);
  };

  const isApart = (row: Row): boolean =>
    // As long as nothing is locked no key is made: a row is asked for twice.
    apart.size + remembered.size > 0 &&
    keysOf(row).some((key) => apart.has(key) || (remembered.get(key) ?? 0) > performance.now());

  /** Never rejects: each call is settled, or waits apart. */
  const share = async (calls: readonly Call[], since = performance.now()): Promise<void> => {
    try {
      await parts.run(() => run(calls, SHARED_LOCK_MS));
    } catch (error) {
      const open = calls.filter((call) => call.isOpen);
      const [only] = open;
      if (databaseFault(error).kind === "unavailable") for (const call of open) call.reject(error);
      else if (only !== undefined && calls.length === 1) isLocked(error) ? setApart(only) : only.reject(error);
      else if (isLocked(error) && performance.now() - since >= SPLIT_FOR_MS) for (const call of open) setApart(call);
      else if (open.length > 0) await Promise.all(partsOf(open).map((part) => share(part, since)));
    }
  };

  const batcher = createBatcher<Call, void>({
    maxBatch: MAX_BATCH,
    maxInFlight: MAX_IN_FLIGHT,
    run: async (calls) => {
      const { late = [], free = [] } = Object.groupBy(calls, ({ row }) => (isApart(row) ? "late" : "free"));
      for (const call of late) setApart(call);
      if (free.length > 0) await share(free);
      return calls.map(() => undefined);
    },
  });

  return {
    write(row) {
      const call: Call = new Waiting(row);
      if (isApart(row)) setApart(call);
      else batcher.add(call).catch((error: unknown) => call.reject(error));
      return call.result;
    },
    async idle() {
      await batcher.idle();
      await Promise.all(apart.values());
    },
  };
};
