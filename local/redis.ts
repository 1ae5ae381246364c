import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { pause } from "../runtime/loop.ts";
import { aclFile, type RedisUser } from "../stream/acl.ts";
import { startChild } from "./child.ts";
import { stopLeftover } from "./leftover.ts";
import type { LocalServer } from "./postgres.ts";
import type { RedisProgram } from "./redis-program.ts";

export interface RedisOptions {
  readonly program: RedisProgram;
  /** Made on first use. The log is beside it: `<dataDirectory>.log`. */
  readonly dataDirectory: string;
  readonly port: number;
  /** Whose keys its users may use; a pattern. */
  readonly streamName?: string;
  /** False only for tests: nothing is kept on disk. */
  readonly durable?: boolean;
  /** Further ones, as in `--tls-port 6380`. */
  readonly flags?: readonly string[];
  /** Aborts the wait for its start. */
  readonly signal?: AbortSignal;
}

/** It answers only after loading its data. */
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 10_000;

/** Whether this process answers there: another one may listen on its port. */
const answers = async (url: string, pid: number): Promise<boolean> => {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null, connectTimeout: 1_000 });
  redis.on("error", () => {});
  try {
    await redis.connect();
    return new RegExp(`^process_id:${pid}\\r?$`, "m").test(await redis.info("server"));
  } catch {
    return false;
  } finally {
    redis.disconnect();
  }
};

const pidFileIn = (dataDirectory: string): string => join(dataDirectory, "redis.pid");

/** Stops a Redis that still runs on the data directory: two would corrupt one append-only file. */
export const stopLeftoverRedis = (dataDirectory: string): Promise<void> =>
  stopLeftover({
    pidFile: pidFileIn(dataDirectory),
    dataDirectory,
    signal: "SIGTERM",
    timeoutMs: STOP_TIMEOUT_MS,
  });

/** Whoever reaches it is on this machine: no password. The default user is the person's, who may do everything. */
const localUsers = (streamName: string): string =>
  aclFile(streamName, { password: () => "nopass", first: ["user default on nopass ~* &* +@all"] });

/** The URL of the same Redis, which may be several servers, for one of its users, who has the password that the URL has, if any. */
export const asRedisUser = (url: string, user: RedisUser): string =>
  url.replace(/^([a-z+]+:\/\/)(?:[^@/?#:]*(:[^@/?#]+)?@)?/, `$1${user}$2@`);

/**
 * Starts Redis on 127.0.0.1, with an append-only file and without eviction, and with a user for each kind of process beside the
 * default one.
 */
export const startRedis = async (options: RedisOptions): Promise<LocalServer> => {
  const { program, dataDirectory, port, durable = true, streamName = "*" } = options;
  const { signal = new AbortController().signal, flags = [] } = options;
  mkdirSync(dataDirectory, { recursive: true, mode: 0o700 });
  await stopLeftoverRedis(dataDirectory);
  const usersFile = join(dataDirectory, "users.acl");
  writeFileSync(usersFile, localUsers(streamName));
  const persistence = durable ? ["--appendonly", "yes", "--appendfsync", "everysec"] : ["--appendonly", "no"];
  const child = startChild({
    command: [
      program.command,
      ...["--port", String(port), "--bind", "127.0.0.1", "--dir", dataDirectory, "--save", ""],
      ...["--pidfile", pidFileIn(dataDirectory), "--maxmemory-policy", "noeviction"],
      ...["--aclfile", usersFile],
      ...persistence,
      ...flags,
    ],
    env: program.env,
    cwd: dataDirectory,
    logFile: `${dataDirectory}.log`,
    deathSignal: "TERM",
  });
  let ended = false;
  void child.exited.then(() => {
    ended = true;
  });
  const url = `redis://127.0.0.1:${port}`;
  const stop = () => child.stop("SIGTERM", STOP_TIMEOUT_MS);
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (!ended && performance.now() < deadline && !signal.aborted) {
    if (await answers(url, child.pid)) {
      return { url, pid: child.pid, exited: child.exited, lastLines: child.lastLines, stop };
    }
    await pause(30, signal);
  }
  await stop();
  throw new Error(`Redis did not start on port ${port}. Its last lines:\n${child.lastLines()}`);
};
