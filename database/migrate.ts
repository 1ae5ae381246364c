import { parseArgs } from "node:util";
import { EXIT, failedToStart } from "../runtime/process.ts";
import { loadSettings } from "../settings/load.ts";
import { type Database, openDatabase } from "./connection.ts";
import { grantRights, makeRoles } from "./grant-rights.ts";
import { migrateWhenAvailable } from "./migrate-when-available.ts";
import { keepLimitsBehindPooler } from "./role-limits.ts";

/** A rollout may start this together with the database, which needs some time to answer. */
const PATIENCE_MS = 60_000;

const giveRights = async (db: Database, withRoles: boolean): Promise<void> => {
  if (!withRoles) return grantRights(db);
  const made = await makeRoles(db);
  if (made.length > 0) console.log(`made the roles ${made.join(", ")}; set their passwords: docs/least-privilege.md`);
};

/**
 * The `migrate` command: one line per migration applied, or `up to date`; then grants the roles their rights. `--roles` also makes
 * the roles, which takes an administrator's DATABASE_URL. Exits 0, 1, or 78 for bad settings.
 */
const main = async (): Promise<number> => {
  const { values } = parseArgs({ options: { roles: { type: "boolean", default: false } } });
  const { DATABASE_URL: url } = loadSettings("migrate", process.env);
  const applied = await migrateWhenAvailable({
    // One connection: the lock, the transaction and the statements share it.
    open: () => openDatabase({ url, poolSize: 1, applicationName: "migrate", deadlineMs: Number.POSITIVE_INFINITY }),
    patienceMs: PATIENCE_MS,
    onWait: (code) => console.error(`the database does not answer (${code}); retrying for up to a minute`),
  });
  const db = openDatabase({ url, poolSize: 1, applicationName: "migrate" });
  try {
    await giveRights(db, values.roles);
    if (await keepLimitsBehindPooler(db)) console.log("behind a pooler: set the role's time limits in this database");
  } finally {
    await db.destroy();
  }
  for (const name of applied) console.log(`applied ${name}`);
  if (applied.length === 0) console.log("up to date");
  return EXIT.stopped;
};

process.exit(await main().catch(failedToStart));
