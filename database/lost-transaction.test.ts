import { expect, test } from "bun:test";
import { sql } from "kysely";
import { withTestDatabase } from "../tests/database.ts";

test.each([
  [0, "says so to its end"],
  [1, "says so to the statement and to its end"],
  [2, "says so to each statement and to its end"],
])("a transaction whose connection is ended, and that asks %d times more, %s; no process ends of it", async (times) => {
  const own = await withTestDatabase();
  const codes: string[] = [];
  const code = (error: unknown) => (error instanceof Error && "code" in error ? String(error.code) : "none");
  const ended = own.db.transaction().execute(async (transaction) => {
    const [found] = (await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(transaction)).rows;
    await sql`select pg_terminate_backend(${found?.pid ?? 0}, 10000)`.execute(own.db);
    for (let nth = 0; nth < times; nth += 1) {
      await sql`select 1`.execute(transaction).catch((error: unknown) => codes.push(code(error)));
    }
  });
  expect(await ended.catch(code)).toMatch(/^(57P01|CONNECTION_CLOSED|ECONNRESET)$/);
  expect(codes).toHaveLength(times);
  await own.drop();
});
