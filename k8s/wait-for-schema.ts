import { Migrator } from "kysely/migration";
import { type Database, openDatabase } from "../database/connection.ts";
import { MIGRATIONS } from "../database/migrations/index.ts";
import { pause } from "../runtime/loop.ts";
import { EXIT, failedToStart, untilAskedToStop } from "../runtime/process.ts";
import { loadSettings } from "../settings/load.ts";

const EVERY_MS = 1_000;

/** Migrations of this image that the database does not have; undefined: it does not answer. */
const missing = async (db: Database): Promise<readonly string[] | undefined> => {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => ({ ...MIGRATIONS }) } });
  try {
    const known = await migrator.getMigrations();
    return known.filter((migration) => migration.executedAt === undefined).map((migration) => migration.name);
  } catch {
    return undefined;
  }
};

/**
 * Ends with 0 as soon as every migration of this image is in the database; runs none. It is the init container of the api
 * and of the consumers: a rollout waits for the Job `migrate`, and the pods of the previous version serve meanwhile.
 */
const main = async (): Promise<number> => {
  const { DATABASE_URL: url } = loadSettings("migrate", process.env);
  // Process 1 has no default action for a signal: a pod that is deleted while it waits would wait until it is killed.
  const asked = new AbortController();
  void untilAskedToStop().then(() => asked.abort());
  let reported = "";
  while (!asked.signal.aborted) {
    // A pool per attempt, so that nothing of a lost connection remains.
    const db = openDatabase({ url, poolSize: 1, applicationName: "wait for schema" });
    const left = await missing(db);
    await db.destroy();
    if (left?.length === 0) return EXIT.stopped;
    const state = left === undefined ? "the database does not answer" : `waiting for ${left.join(", ")}`;
    if (state !== reported) console.log(state);
    reported = state;
    await pause(EVERY_MS, asked.signal);
  }
  return EXIT.failed;
};

process.exit(await main().catch(failedToStart));
