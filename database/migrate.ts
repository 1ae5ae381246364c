import { EXIT, failedToStart } from "../runtime/process.ts";
import { loadSettings } from "../settings/load.ts";
import { openDatabase } from "./connection.ts";
import { migrateWhenAvailable } from "./migrate-when-available.ts";
import { keepLimitsBehindPooler } from "./role-limits.ts";

/** A rollout may start this together with the database, which needs some time to answer. */
const PATIENCE_MS = 60_000;

/** The `migrate` command: one line per migration applied, or `up to date`. Exits 0, 1, or 78 for bad settings. */
const main = async (): Promise<number> => {
  const { DATABASE_URL: url } = loadSettings("migrate", process.env);
  const applied = await migrateWhenAvailable({
    // One connection: the lock, the transaction and the statements share it.
    open: () => openDatabase({ url, poolSize: 1, applicationName: "migrate", deadlineMs: Number.POSITIVE_INFINITY }),
    patienceMs: PATIENCE_MS,
    onWait: (code) => console.error(`the database does not answer (${code}); retrying for up to a minute`),
  });
  const db = openDatabase({ url, poolSize: 1, applicationName: "migrate" });
  try {
    if (await keepLimitsBehindPooler(db)) console.log("behind a pooler: set the role's time limits in this database");
  } finally {
    await db.destroy();
  }
  for (const name of applied) console.log(`applied ${name}`);
  if (applied.length === 0) console.log("up to date");
  return EXIT.stopped;
};

process.exit(await main().catch(failedToStart));
