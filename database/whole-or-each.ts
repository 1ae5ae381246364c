export interface WholeOrEach<Row, Result> {
  /** One statement for all of the rows; one result per row, in their order. */
  readonly run: (rows: readonly Row[]) => Promise<readonly Result[]>;
  /** Whether the failure of the statement may be due to one row: then each row runs alone. */
  readonly mayBeOneRows: (error: unknown) => boolean;
  /** The result of a row that failed alone; rethrows an error that is not due to the row. */
  readonly failedAlone: (row: Row, error: unknown) => Result | Promise<Result>;
}

/**
 * Runs a shared statement so that no row fails because of another: if it fails by a refused value or a deadlock, each row
 * runs alone.
 *
 * @throws an error for which `mayBeOneRows` is false (the database is unavailable)
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
