import { expect, test } from "bun:test";
import { asSuperuser, withTestDatabase } from "../database.ts";
import { openForAudit } from "./database.ts";

test("a statement of an audit has an hour, whatever limit the database sets", async () => {
  const database = await withTestDatabase();
  const name = new URL(database.url).pathname.slice(1);
  await asSuperuser(`alter database ${name} set statement_timeout = '5s'`);
  const sql = openForAudit(database.url);
  expect(Object.values((await sql`show statement_timeout`)[0] ?? {})).toEqual(["1h"]);
  await sql.end();
  await database.drop();
});
