import { expect, test } from "bun:test";
import { sql } from "kysely";
import { opsProcess } from "../ops/operator-for-tests.ts";
import { eventually } from "./eventually.ts";
import { aSystem, signUpAt } from "./processes.ts";
import { asOps } from "./seen-by-operators.ts";

interface Status {
  readonly findings: readonly { readonly level: string; readonly sentence: string }[];
}

test("ops status says that signups are refused, by which api, why and since when, until one is made", async () => {
  await using system = await aSystem();
  const api = await system.api();
  await system.consumer();
  const firstOf = async () => {
    const { findings }: Status = JSON.parse((await opsProcess(["status", "--json"], asOps(system))).out);
    return findings[0]?.sentence ?? "";
  };
  await sql`revoke insert on users from signup_api`.execute(system.database.db);
  expect((await signUpAt(api)).status).toBeGreaterThanOrEqual(500);
  const refused = await eventually(async () => {
    const sentence = await firstOf();
    return sentence.includes("refuses signups") && sentence;
  }, 20_000);
  expect(refused).toMatch(
    /^api-\w+ on \S+ refuses signups, because PostgreSQL refuses a statement \(42501\), since \d\d:\d\d UTC/,
  );
  await sql`grant insert on users to signup_api`.execute(system.database.db);
  expect((await signUpAt(api)).status).toBe(201);
  await eventually(async () => (await firstOf()).startsWith("All is well"), 20_000);
}, 60_000);
