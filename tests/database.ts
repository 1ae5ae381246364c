import postgres from "postgres";
import { type Database, openDatabase } from "../database/connection.ts";
import { makeRoles } from "../database/grant-rights.ts";
import { migrateToLatest } from "../database/migrate-to-latest.ts";
import { randomHex } from "../observability/trace-context.ts";

export interface TestDatabase {
  /** As the administrator, to look and to break things. */
  readonly url: string;
  readonly db: Database;
  drop(): Promise<void>;
}

const SUPERUSER_IDLE_S = 2;
/** As long as a condition is waited for: what only looks does not fail because the machine is busy. */
const ADMIN_DEADLINE_MS = 60_000;
/** Migrated, and never written to. */
const TEMPLATE = "template_migrated";

/** The URL of the server that one run of the tests shares. */
export const serverUrl = (): string => {
  const url = process.env["TEST_DATABASE_URL"];
  if (url === undefined) throw new Error("TEST_DATABASE_URL is not set: run the tests by `bun tests/run.ts`");
  return url;
};

/** A connection costs the server as much as half a database: one for all that a test file asks of it, by the server's URL. */
const superusers = new Map<string, postgres.Sql>();

const superuserOf = (server: string): postgres.Sql => {
  const known = superusers.get(server);
  if (known !== undefined) return known;
  const superuser = postgres(server, { max: 1, idle_timeout: SUPERUSER_IDLE_S, onnotice: () => {} });
  superusers.set(server, superuser);
  return superuser;
};

/** Runs statements as the server's superuser. */
export const asSuperuser = async (...statements: readonly string[]): Promise<void> => {
  const superuser = superuserOf(serverUrl());
  for (const text of statements) await superuser.unsafe(text);
};

const databaseUrl = (server: string, name: string): string => {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
};

/** Brings a database up to date, once, which each test then has a copy of, rights included; and makes the roles. */
export const makeTemplate = async (server: string): Promise<void> => {
  const admin = postgres(server, { max: 1 });
  await admin.unsafe(`create database ${TEMPLATE}`);
  await admin.end();
  const single = openDatabase({
    url: databaseUrl(server, TEMPLATE),
    poolSize: 1,
    applicationName: "test migrations",
    deadlineMs: Number.POSITIVE_INFINITY,
  });
  await migrateToLatest(single);
  await makeRoles(single);
  await single.destroy();
};

/** A database of a test's own, empty or brought up to date. */
export const withTestDatabase = async ({ migrated = true } = {}): Promise<TestDatabase> => {
  const name = `test_${randomHex(8)}`;
  await asSuperuser(`create database ${name} template ${migrated ? TEMPLATE : "template1"} strategy file_copy`);
  const url = databaseUrl(serverUrl(), name);
  const db = openDatabase({ url, poolSize: 10, applicationName: "test", deadlineMs: ADMIN_DEADLINE_MS });
  return {
    url,
    db,
    drop: async () => {
      await db.destroy();
      await asSuperuser(`drop database ${name} with (force)`);
    },
  };
};
