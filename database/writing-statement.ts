import { type Database, statement } from "./connection.ts";
import type { Writing } from "./shared-write.ts";

/** A statement that writes rows: $1 the rows as JSON, $2 the longest wait for a lock in ms. */
export const writingStatement = <Result, Row>(text: string) => {
  const alone = statement<Result, [readonly Row[], number]>(text);
  const pipelined = statement<Result, [readonly Row[], number]>(text, { isPipelined: true });
  return (db: Database, rows: readonly Row[], { isPipelined, lockTimeoutMs }: Writing): Promise<readonly Result[]> =>
    (isPipelined ? pipelined : alone)(db, rows, lockTimeoutMs);
};
