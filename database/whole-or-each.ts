export interface WholeOrEach<Row, Result> {
  /** One statement for all of the rows; one result per row, in their order. */
  readonly run: (rows: readonly Row[]) => Promise<readonly Result[]>;
  /** Whether a failure of the whole may be the fault of one row: then each goes alone. */
  readonly mayBeOneRows: (error: unknown) => boolean;
  /** The result of a row that failed alone; it may throw what is nobody's fault. */
  readonly failedAlone: (row: Row, error: unknown) => Result | Promise<Result>;
}

/**
 * Runs a shared statement so that no row fails for another's fault: a value that Postgres refuses, or a deadlock, fails the
 * whole statement; then each row goes alone and answers for itself.
 *
 * @throws what `mayBeOneRows` says is nobody's fault (the database is away)
 */
export const wholeOrEach = async <Row, Result>(
  rows: readonly Row[],
  { run, mayBeOneRows, failedAlone }: WholeOrEach<Row, Result>,
): Promise<readonly Result[]> => {
  try {
    return await run(rows);
  } catch (error) {
    if (!mayBeOneRows(error)) throw error;
    const results: Result[] = [];
    for (const row of rows) {
      results.push(...(await run([row]).catch(async (own: unknown) => [await failedAlone(row, own)])));
    }
    return results;
  }
};
