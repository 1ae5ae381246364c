import { parseArgs } from "node:util";
import { EXIT, failedToStart } from "../runtime/process.ts";
import { loadSettings } from "../settings/load.ts";
import { type Database, openDatabase } from "./connection.ts";
import { grantRights, makeRoles } from "./grant-rights.ts";
import type { LockHolder } from "./lock-holder.ts";
import type { LockLimit } from "./lock-timeout.ts";
import { migrateToLatest } from "./migrate-to-latest.ts";
import { keepSettingsBehindPooler } from "./role-settings.ts";
import { requireTablesHere } from "./tables-elsewhere.ts";
import { MAX_GIVES_WAY_MS, whenAvailable } from "./when-available.ts";

/** A rollout may start this together with the database, which needs some time to answer. */
const PATIENCE_MS = 60_000;
const LOCK_PATIENCE_MS = 600_000;

const holderOf = (by: LockHolder | undefined): string => {
  if (by === undefined) return "somebody else has a lock";
  const since = by.openMs === undefined ? "" : `, open for ${Math.round(by.openMs / 1_000)} s,`;
  return `the transaction of ${by.name} (pid ${by.pid})${since} uses ${by.table}`;
};

const effectOf = (by: LockHolder | undefined): string => {
  if (by?.givesWayAfterMs === undefined) return "signups go on";
  return by.givesWayAfterMs > MAX_GIVES_WAY_MS
    ? `deadlock_timeout is ${by.givesWayAfterMs} ms, too long to wait until it gives way; signups go on`
    : `it gives way after ${by.givesWayAfterMs} ms, which are awaited once and may delay or refuse signups`;
};

/**
 * The `migrate` command: one line per migration applied, as soon as it is, or `up to date`; then grants the roles their rights. `--roles` also makes
 * the roles, which takes an administrator's DATABASE_URL. Exits 0, 1, or 78 for bad settings.
 */
const main = async (): Promise<number> => {
  const { values } = parseArgs({ options: { roles: { type: "boolean", default: false } } });
  const { DATABASE_URL: url } = loadSettings("migrate", process.env);
  const change = <Result>(work: (db: Database, limit: LockLimit) => Promise<Result>) =>
    whenAvailable({
      work,
      open: (deadlineMs) => openDatabase({ url, poolSize: 1, applicationName: "migrate", deadlineMs }),
      patienceMs: PATIENCE_MS,
      lockPatienceMs: LOCK_PATIENCE_MS,
      onWait: (code) => console.error(`the database does not answer (${code}); retrying for up to a minute`),
      onLocked: (by) => console.error(`${holderOf(by)}; ${effectOf(by)}; retrying for up to 10 minutes`),
    });
  let isUpToDate = true;
  const onApplied = (name: string) => {
    isUpToDate = false;
    console.log(`applied ${name}`);
  };
  await change(async (db, limit) => {
    await requireTablesHere(db);
    return migrateToLatest(db, { limit, onApplied });
  });
  const made = await change(values.roles ? makeRoles : grantRights);
  if (made.length > 0) console.log(`made the roles ${made.join(", ")}; set their passwords: docs/least-privilege.md`);
  const db = openDatabase({ url, poolSize: 1, applicationName: "migrate" });
  try {
    if (await keepSettingsBehindPooler(db))
      console.log("behind a pooler: set the role's time limits, and its row_security, in this database");
  } finally {
    await db.destroy();
  }
  if (isUpToDate) console.log("up to date");
  return EXIT.stopped;
};

process.exit(await main().catch(failedToStart));
