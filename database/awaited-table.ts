import { RowLocked, type TableLocked } from "./errors.ts";

/** What a shared statement did not write. */
export interface Left<Call> {
  readonly calls: readonly Call[];
  /** Why, if it is that: each part would meet it. */
  readonly tableLocked?: TableLocked;
}

/** Rows that wait until a table that they all need is free. */
export interface AwaitedTable<Call> {
  /** Whether the last statement has found it locked. */
  isLocked(): boolean;
  /**
   * They wait, with those that do already. `error`: what they have waited for in vain before. Resolves when somebody else finds out, or
   * when all are answered or on their way.
   */
  wait(calls: readonly Call[], error?: TableLocked): Promise<void>;
}

/** A row waits until it is so old, with at most so many others. */
const WAITS_UNTIL_MS = 1_000;
const MAX_WAITING = 4_096;

/**
 * While a table is locked one statement at a time finds out for all that wait whether it is free. So they are answered in time however many
 * they are, and are written in large statements once it is. `share` writes rows in one statement; `onFree` writes the others.
 */
export const createAwaitedTable = <
  Call extends { readonly since: number; readonly isOpen: boolean; reject(error: unknown): void },
>(deps: {
  readonly maxBatch: number;
  readonly share: (calls: readonly Call[]) => Promise<Left<Call>>;
  readonly onFree: (left: readonly Call[], others: readonly Call[]) => void;
}): AwaitedTable<Call> => {
  const waiting = new Set<Call>();
  /** Of those, the ones that a statement under way may still write. */
  let asked: ReadonlySet<Call> = new Set();
  let [isLocked, isAsking] = [false, false];

  const join = (calls: readonly Call[]): void => {
    for (const call of calls) {
      if (waiting.size < MAX_WAITING) waiting.add(call);
      else call.reject(new RowLocked());
    }
  };

  const found = (error: TableLocked): void => {
    isLocked = true;
    const now = performance.now();
    for (const call of waiting) {
      if (asked.has(call) || now - call.since < WAITS_UNTIL_MS) continue;
      waiting.delete(call);
      call.reject(error);
    }
  };

  const ask = async (): Promise<void> => {
    while (waiting.size > 0) {
      const asking = [...waiting].slice(0, deps.maxBatch);
      asked = new Set(asking);
      const { calls, tableLocked } = await deps.share(asking);
      asked = new Set();
      for (const call of asking) if (tableLocked === undefined || !call.isOpen) waiting.delete(call);
      if (tableLocked !== undefined) {
        found(tableLocked);
        continue;
      }
      isLocked = false;
      const others = [...waiting];
      waiting.clear();
      isAsking = false;
      deps.onFree(calls, others);
      return;
    }
    isAsking = false;
  };

  return {
    isLocked: () => isLocked,
    wait: async (calls, error) => {
      join(calls);
      if (error !== undefined) found(error);
      if (isAsking) return;
      isAsking = true;
      await ask();
    },
  };
};
