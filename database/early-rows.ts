import type { Row, RowList, Sql } from "postgres";

/** A connection as it was when a statement began. */
export interface SameConnection {
  readonly sql: Sql;
  /** False once it was lost, and perhaps opened again: what was not committed by then is undone. */
  isSame(): boolean;
}

/** The connection was lost before the commit was answered: nobody knows whether it took place. */
export class CommitUnknown extends Error {
  override readonly name = "CommitUnknown";
  readonly code = "CONNECTION_CLOSED";

  constructor() {
    super("the connection was lost before a commit was answered");
  }
}

/**
 * Sends a statement in a transaction of its own, all in one write, and passes its rows on before they are committed: what waits for the
 * commit alone is the disk, and a standby. Resolves when it is committed. Only for a statement that this connection has prepared: the driver
 * would else wait for an answer within the transaction, with rows locked.
 *
 * @throws the statement's error, and then nothing was passed on; or that of the commit
 */
export const sendEarly = async <Each>(
  { sql, isSame }: SameConnection,
  text: string,
  parameters: readonly unknown[],
  onRows: (rows: RowList<(Each & Row)[]>) => void,
): Promise<RowList<(Each & Row)[]>> => {
  const begun = sql.unsafe("begin").execute();
  const asked = sql.unsafe<(Each & Row)[]>(text, [...parameters] as never[], { prepare: true }).execute();
  const committed = sql.unsafe("commit").execute();
  for (const each of [begun, asked, committed]) each.catch(() => {});
  try {
    await begun;
    const rows = await asked;
    if (!isSame()) throw new CommitUnknown();
    onRows(rows);
    await committed;
    if (!isSame()) throw new CommitUnknown();
    return rows;
  } finally {
    // A statement that failed is followed by the commit, which undoes it: the connection is free after it.
    await committed.catch(() => {});
  }
};
