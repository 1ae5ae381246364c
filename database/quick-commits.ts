/** What a row may take of a statement, and the statement beside its rows, where Postgres waits for nothing. */
const ROW_MS = 0.06;
const BESIDE_ROWS_MS = 1.2;
/** The quickest of so many tell, and so many of them: others have waited for a processor, or their answer for us. */
const LAST = 32;
const QUICK = 4;

/** Whether commits are quick, by what statements take. */
export interface QuickCommits {
  /** Of a statement that has written so many rows. */
  note(tookMs: number, rows: number): void;
  /** False until it is known. */
  areQuick(): boolean;
}

/**
 * A commit that waits long, for a disk or for a standby, keeps its connection from the statement behind it. Two connections wait at the
 * same time.
 */
export const createQuickCommits = (): QuickCommits => {
  const besideRows: number[] = [];
  let next = 0;
  return {
    note(tookMs, rows) {
      besideRows[next] = tookMs - rows * ROW_MS;
      next = (next + 1) % LAST;
    },
    areQuick: () => besideRows.filter((ms) => ms <= BESIDE_ROWS_MS).length >= QUICK,
  };
};
