import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { isAlive } from "../local/child.ts";
import { freePort } from "../local/ports.ts";
import { startPostgres, stopLeftoverPostgres } from "../local/postgres.ts";
import { startRedis, stopLeftoverRedis } from "../local/redis.ts";
import { findRedis } from "../local/redis-program.ts";

/** One Postgres and one Redis, for one run of the tests. */
export interface TestServers extends AsyncDisposable {
  /** For the processes that run the tests. */
  readonly environment: { readonly TEST_DATABASE_URL: string; readonly TEST_REDIS_URL: string };
}

const local = join(import.meta.dir, "..", ".local");
const OWN_FOLDER = /^test-(\d+)$/;
/** Tests open a pool each, and run side by side. */
const MAX_CONNECTIONS = 300;

/** What a run that was killed outright could not remove. */
const removeAbandoned = async (): Promise<void> => {
  for (const name of existsSync(local) ? readdirSync(local) : []) {
    const pid = Number(OWN_FOLDER.exec(name)?.[1] ?? process.pid);
    if (pid === process.pid || isAlive(pid)) continue;
    await stopLeftoverPostgres(join(local, name, "postgres"));
    await stopLeftoverRedis(join(local, name, "redis"));
    rmSync(join(local, name), { recursive: true, force: true });
  }
};

/** Starts both on ports of their own, empty and without any promise of durability; disposing ends and removes them. */
export const startTestServers = async (): Promise<TestServers> => {
  await removeAbandoned();
  const directory = join(local, `test-${process.pid}`);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const program = findRedis(join(local, "redis"), console.log);
  const started = await Promise.allSettled([
    startPostgres({
      dataDirectory: join(directory, "postgres"),
      port: await freePort(),
      durable: false,
      settings: [`max_connections=${MAX_CONNECTIONS}`],
    }),
    startRedis({ program, dataDirectory: join(directory, "redis"), port: await freePort(), durable: false }),
  ]);
  const remove = async () => {
    await Promise.all(started.map((each) => (each.status === "fulfilled" ? each.value.stop() : undefined)));
    rmSync(directory, { recursive: true, force: true });
  };
  const [postgres, redis] = started;
  if (postgres.status === "fulfilled" && redis.status === "fulfilled") {
    const environment = { TEST_DATABASE_URL: postgres.value.url, TEST_REDIS_URL: redis.value.url };
    return { environment, [Symbol.asyncDispose]: remove };
  }
  await remove();
  throw started.find((each) => each.status === "rejected")?.reason;
};
