import { rmSync } from "node:fs";
import { join } from "node:path";
import { type LocalServer, startPostgres, stopLeftoverPostgres } from "./postgres.ts";
import { startRedis, stopLeftoverRedis } from "./redis.ts";
import { findRedis } from "./redis-program.ts";

const FOLDERS = { postgres: "postgres", redis: "redis-data", inbox: "inbox" };
/** Fetched once for all data folders. */
const REDIS_PROGRAM = join(import.meta.dir, "..", ".local", "redis");

/** The system's own PostgreSQL, with its data below `directory`. */
export const startLocalPostgres = (directory: string, port: number, signal: AbortSignal): Promise<LocalServer> =>
  startPostgres({ dataDirectory: join(directory, FOLDERS.postgres), port, signal });

/** The system's own Redis, with its data below `directory`; the program is fetched if the machine has none. */
export const startLocalRedis = (
  directory: string,
  options: { readonly port: number; readonly streamName: string; readonly signal: AbortSignal },
  print: (line: string) => void,
): Promise<LocalServer> => {
  const program = findRedis(REDIS_PROGRAM, print);
  print("starting Redis");
  return startRedis({ program, dataDirectory: join(directory, FOLDERS.redis), ...options });
};

/** Removes the data of the stores and the inbox. A server that still runs on it is stopped first; programs stay. */
export const removeStores = async (directory: string, print: (line: string) => void): Promise<void> => {
  print("starting over: removing the data of earlier runs");
  await stopLeftoverPostgres(join(directory, FOLDERS.postgres));
  await stopLeftoverRedis(join(directory, FOLDERS.redis));
  for (const name of [FOLDERS.postgres, FOLDERS.redis, FOLDERS.inbox]) {
    rmSync(join(directory, name), { recursive: true, force: true });
    rmSync(join(directory, `${name}.log`), { force: true });
  }
};
