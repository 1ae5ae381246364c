import { afterAll, beforeAll, expect, test } from "bun:test";
import { sql } from "kysely";
import { openDatabase } from "../database/connection.ts";
import { sessionSettings } from "../database/limits.ts";
import { SERVICE_ROLES } from "../database/roles.ts";
import { findRecipients } from "../database/users/recipients.ts";
import { asDatabaseRole } from "../local/postgres.ts";
import { type TestDatabase, withTestDatabase } from "./database.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await withTestDatabase();
});

afterAll(() => database.drop());

const USER = "01890a5d-ac96-774b-bcce-b302099a8057";

test("a row that row level security hides is not taken for one that was erased: the statement is refused", async () => {
  const url = asDatabaseRole(database.url, "signup_consumer");
  const db = openDatabase({ url, poolSize: 1, applicationName: "row security" });
  try {
    expect(await findRecipients(db, [USER])).toEqual(new Map());
    await sql`alter table users enable row level security`.execute(database.db);
    const refused = await findRecipients(db, [USER]).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "42501" });
    await sql`alter table users disable row level security`.execute(database.db);
    expect(await findRecipients(db, [USER])).toEqual(new Map());
  } finally {
    await db.destroy();
  }
});

test("where a pooler does not pass the settings of connections on, roles have them", async () => {
  const rows = await sql<{ role: string; settings: readonly string[] }>`
    select rolname as role, array_to_json(setconfig) as settings from pg_db_role_setting
      join pg_roles on pg_roles.oid = setrole join pg_database on pg_database.oid = setdatabase
    where datname = 'template_migrated' order by rolname`.execute(database.db);
  const wanted = Object.keys(sessionSettings(5_000)).toSorted();
  const found = rows.rows.map(({ role, settings }) => [role, settings.map((each) => each.split("=")[0]).toSorted()]);
  expect(found).toEqual(SERVICE_ROLES.toSorted().map((role) => [role, wanted]));
});
