import { existsSync, mkdirSync, readdirSync, rmSync, statfsSync, statSync } from "node:fs";
import { join } from "node:path";
import { isAlive } from "../local/child.ts";
import { startPostgres, stopLeftoverPostgres } from "../local/postgres.ts";
import { startRedis, stopLeftoverRedis } from "../local/redis.ts";
import { findRedis } from "../local/redis-program.ts";
import { makeTemplate } from "./database.ts";
import { ownPort } from "./own-port.ts";

/** One Postgres and one Redis, for one run of the tests. */
export interface TestServers extends AsyncDisposable {
  /** For the processes that run the tests. */
  readonly environment: {
    readonly TEST_DATABASE_URL: string;
    readonly TEST_REDIS_URL: string;
    /** What Postgres logs; statements only of a database that was told to. */
    readonly TEST_POSTGRES_LOG: string;
  };
  /** Process ids, for whoever measures what the servers cost. */
  readonly pids: { readonly postgres: number; readonly redis: number };
}

const local = join(import.meta.dir, "..", ".local");
/** Files in it live in memory alone (Linux). */
const MEMORY = "/dev/shm";
/** What a run needs at most, its write-ahead log included; a container may have 64 MB. */
const NEEDED_BYTES = 2_147_483_648;
const OWN_FOLDER = /^signup-stream-test-(\d+)$/;
/** Tests open a pool each, and run side by side. */
const MAX_CONNECTIONS = 500;

/** Role and database of each line. */
const LOG_PREFIX = "%u@%d ";

const hasRoomInMemory = (): boolean => {
  if (!existsSync(MEMORY)) return false;
  const { bavail, bsize } = statfsSync(MEMORY);
  return bavail * bsize >= NEEDED_BYTES;
};

/** What a run that was killed outright could not remove. */
const removeAbandoned = async (): Promise<void> => {
  for (const parent of [local, MEMORY]) {
    for (const name of existsSync(parent) ? readdirSync(parent) : []) {
      const pid = Number(OWN_FOLDER.exec(name)?.[1] ?? process.pid);
      const folder = join(parent, name);
      if (pid === process.pid || isAlive(pid) || statSync(folder).uid !== process.getuid?.()) continue;
      await stopLeftoverPostgres(join(folder, "postgres"));
      await stopLeftoverRedis(join(folder, "redis"));
      rmSync(folder, { recursive: true, force: true });
    }
  }
};

/**
 * Starts both on ports of their own, empty and, unless `durable`, without any promise of durability; disposing ends and removes
 * them. The settings of Postgres are `name=value` each.
 */
export const startTestServers = async (
  postgresSettings: readonly string[] = [],
  { durable = false } = {},
): Promise<TestServers> => {
  await removeAbandoned();
  // A database is 300 files, and each test makes one: in memory that takes a quarter of the time.
  const directory = join(!durable && hasRoomInMemory() ? MEMORY : local, `signup-stream-test-${process.pid}`);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const program = findRedis(join(local, "redis"), console.log);
  const started = await Promise.allSettled([
    startPostgres({
      dataDirectory: join(directory, "postgres"),
      port: await ownPort(),
      durable,
      settings: [`max_connections=${MAX_CONNECTIONS}`, `log_line_prefix=${LOG_PREFIX}`, ...postgresSettings],
    }),
    startRedis({ program, dataDirectory: join(directory, "redis"), port: await ownPort(), durable }),
  ]);
  const remove = async () => {
    await Promise.all(started.map((each) => (each.status === "fulfilled" ? each.value.stop() : undefined)));
    rmSync(directory, { recursive: true, force: true });
  };
  const [postgres, redis] = started;
  if (postgres.status === "fulfilled" && redis.status === "fulfilled") {
    await makeTemplate(postgres.value.url);
    const environment = {
      TEST_DATABASE_URL: postgres.value.url,
      TEST_REDIS_URL: redis.value.url,
      TEST_POSTGRES_LOG: `${join(directory, "postgres")}.log`,
    };
    const pids = { postgres: postgres.value.pid, redis: redis.value.pid };
    return { environment, pids, [Symbol.asyncDispose]: remove };
  }
  await remove();
  throw started.find((each) => each.status === "rejected")?.reason;
};
