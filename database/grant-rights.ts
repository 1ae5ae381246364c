import { sql, type Transaction } from "kysely";
import { type Database, pingDatabase } from "./connection.ts";
import { DEADLINE_MS, sessionSettings } from "./limits.ts";
import { type LockLimit, limitLockWaits } from "./lock-timeout.ts";
import { defaultsOfRole } from "./role-settings.ts";
import { grantsOf, MEMBERSHIPS, MIGRATING_ROLE, SERVICE_ROLES, TABLES } from "./roles.ts";
import type { Schema } from "./schema.ts";

type Connection = Transaction<Schema>;

/** Two at once would change the same rows of Postgres' catalogue. */
const LOCK = 7_031_009;

const locked = async (
  db: Database,
  limit: LockLimit | undefined,
  work: (connection: Connection) => Promise<void>,
): Promise<void> => {
  // The driver never answers to whoever reserves a connection of a pool that has not connected yet.
  await pingDatabase(db);
  await db.transaction().execute(async (connection) => {
    if (limit !== undefined) await limitLockWaits(connection, limit);
    await sql`select pg_advisory_xact_lock(${sql.lit(LOCK)})`.execute(connection);
    await work(connection);
  });
};

const execute = async (connection: Connection, text: string): Promise<void> => {
  await sql.raw(text).execute(connection);
};

const rolesIn = async (connection: Connection): Promise<ReadonlySet<string>> => {
  const wanted = [...SERVICE_ROLES, MIGRATING_ROLE].map((role) => sql.lit(role));
  const found = await sql<{ rolname: string }>`
    select rolname from pg_roles where rolname in (${sql.join(wanted)})`.execute(connection);
  return new Set(found.rows.map((row) => row.rolname));
};

/** Each of our tables that exists, and who owns it. */
const ownersIn = async (connection: Connection): Promise<ReadonlyMap<string, string>> => {
  const found = await sql<{ tablename: string; tableowner: string }>`
    select tablename, tableowner from pg_tables where schemaname = 'public'
      and tablename in (${sql.join(TABLES.map((table) => sql.lit(table)))})`.execute(connection);
  return new Map(found.rows.map((row) => [row.tablename, row.tableowner]));
};

const revokeAll = async (connection: Connection): Promise<void> => {
  const tables = [...(await ownersIn(connection)).keys()];
  if (tables.length > 0)
    await execute(connection, `revoke all on ${tables.join(", ")} from ${SERVICE_ROLES.join(", ")}`);
};

const grantAll = async (connection: Connection): Promise<void> => {
  const roles = await rolesIn(connection);
  const tables = await ownersIn(connection);
  for (const role of SERVICE_ROLES.filter((each) => roles.has(each))) {
    for (const { table, privilege } of grantsOf(role)) {
      if (tables.has(table)) await execute(connection, `grant ${privilege} on ${table} to ${role}`);
    }
  }
};

/**
 * Grants the roles what `roles.ts` says, and takes nothing away: the previous version may still run. Does nothing while they do
 * not exist. Part of each `migrate`, because a migration may have made a table; needs no right but that of the tables' owner. Makes no role.
 */
export const grantRights = async (db: Database, limit?: LockLimit): Promise<readonly string[]> => {
  await locked(db, limit, grantAll);
  return [];
};

const createMissing = async (connection: Connection): Promise<readonly string[]> => {
  const known = await rolesIn(connection);
  const missing = [...SERVICE_ROLES, MIGRATING_ROLE].filter((role) => !known.has(role));
  for (const role of missing) await execute(connection, `create role ${role} login`);
  return missing;
};

/** The owner of a table decides who may use it, and only a member of a role may make it the owner. */
const handOver = async (connection: Connection): Promise<void> => {
  const me = await sql<{ is_super: boolean }>`
    select rolsuper as is_super from pg_roles where rolname = current_user`.execute(connection);
  if (me.rows[0]?.is_super !== true) await execute(connection, `grant ${MIGRATING_ROLE} to current_user`);
  for (const [table, owner] of await ownersIn(connection)) {
    if (owner !== MIGRATING_ROLE) await execute(connection, `alter table ${table} owner to ${MIGRATING_ROLE}`);
  }
};

/** A role of Postgres' own may be out of an administrator's reach in a managed database: then it is left out. */
const joinMemberships = async (connection: Connection): Promise<void> => {
  for (const { role, of } of MEMBERSHIPS) {
    await execute(
      connection,
      `do $$ begin grant ${of} to ${role}; exception when insufficient_privilege then
        raise notice '${role} is no member of ${of}'; end $$`,
    );
  }
};

/** A pooler does not pass on the settings that a connection asks for: new connections begin with those of the role. */
const setSettings = async (connection: Connection): Promise<void> => {
  const settings = Object.entries(sessionSettings(DEADLINE_MS));
  for (const role of SERVICE_ROLES) await execute(connection, defaultsOfRole(role, settings));
};

/**
 * Makes the roles that are missing, which may log in but have no password until an administrator sets one; makes
 * `signup_migrate` the owner of our tables; and grants the rights, and no others. Safe to run again, and at the same time. Needs CREATEROLE and
 * the tables' owner, or a superuser. Returns the roles that it made.
 */
export const makeRoles = async (db: Database, limit?: LockLimit): Promise<readonly string[]> => {
  let made: readonly string[] = [];
  await locked(db, limit, async (connection) => {
    made = await createMissing(connection);
    // As PostgreSQL 15 and later do: whoever may create tables could shadow ours.
    await execute(connection, "revoke create on schema public from public");
    await execute(connection, `grant usage, create on schema public to ${MIGRATING_ROLE}`);
    await execute(connection, `grant usage on schema public to ${SERVICE_ROLES.join(", ")}`);
    await handOver(connection);
    await joinMemberships(connection);
    await setSettings(connection);
    await revokeAll(connection);
    await grantAll(connection);
  });
  return made;
};
