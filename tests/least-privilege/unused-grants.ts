import { readFileSync } from "node:fs";
import postgres from "postgres";
import { grantsOf, type ServiceRole } from "../../database/roles.ts";
import { asDatabaseRole } from "../../local/postgres.ts";

/** What each role has run in a database that logs its statements, from the server's log. */
export const statementsOf = (database: string): ReadonlyMap<string, ReadonlySet<string>> => {
  const statements = new Map<string, Set<string>>();
  const text = readFileSync(process.env["TEST_POSTGRES_LOG"] ?? "", "utf8");
  const line = new RegExp(
    `^(\\w+)@${database} LOG: {2}(?:execute [^:]*|statement): ([^]*?)(?=\\n\\w*@\\w* |(?![^]))`,
    "gm",
  );
  for (const [, role = "", statement = ""] of text.matchAll(line)) {
    statements.set(role, (statements.get(role) ?? new Set()).add(statement.trim()));
  }
  return statements;
};

/** Whether Postgres refuses a statement for want of a right; it is planned, not run. */
const isRefused = async (sql: postgres.Sql, statement: string): Promise<boolean> => {
  try {
    await sql.unsafe(`explain (generic_plan) ${statement}`);
    return false;
  } catch (error) {
    return error instanceof postgres.PostgresError && error.code === "42501";
  }
};

/**
 * Grants of a role without which all that it ran is still allowed: nobody needs them. Each is revoked, and granted again; Postgres
 * itself judges the statements, by EXPLAIN.
 */
export const unusedGrants = async (
  url: string,
  role: ServiceRole,
  statements: Iterable<string>,
): Promise<readonly string[]> => {
  const admin = postgres(url, { max: 1, onnotice: () => {} });
  const own = postgres(asDatabaseRole(url, role), { max: 1, onnotice: () => {} });
  const ran = [...statements];
  const unused: string[] = [];
  try {
    for (const { table, privilege } of grantsOf(role)) {
      await admin.unsafe(`revoke ${privilege} on ${table} from ${role}`);
      let isUsed = false;
      for (const statement of ran) {
        if (!statement.includes(table)) continue;
        isUsed = await isRefused(own, statement);
        if (isUsed) break;
      }
      await admin.unsafe(`grant ${privilege} on ${table} to ${role}`);
      if (!isUsed) unused.push(`${privilege} on ${table}`);
    }
  } finally {
    await Promise.all([admin.end(), own.end()]);
  }
  return unused;
};
