import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Child, startChild } from "../local/child.ts";
import { unpackDebianPackages } from "../local/debian-packages.ts";
import { asOrdinaryUser } from "../local/postgres.ts";
import { ownPort } from "./own-port.ts";

const DIRECTORY = join(import.meta.dir, "..", ".local", "pgbouncer");
const PACKAGES = ["pgbouncer", "libc-ares2", "libevent-2.1-7"];
/** Their names in Debian 13 and Ubuntu 24.04, and libraries that slim images lack. */
const OTHER_PACKAGES = ["libcares2", "libevent-2.1-7t64", "libssl3", "libssl3t64", "libpam0g", "libsystemd0"];

interface Program {
  readonly command: string;
  readonly env: Readonly<Record<string, string>>;
}

const unpacked = (): Program => {
  const folder = join(DIRECTORY, "usr", "lib");
  const folders = existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
  return {
    command: join(DIRECTORY, "usr", "sbin", "pgbouncer"),
    env: { PATH: process.env["PATH"] ?? "", LD_LIBRARY_PATH: folders.join(":") },
  };
};

const runs = ({ command, env }: Program): boolean =>
  existsSync(command) &&
  Bun.spawnSync([command, "--version"], { env: { ...env }, stdio: ["ignore", "ignore", "ignore"] }).success;

/** PgBouncer, from Debian's package if it is not on PATH: unpacked into `.local/`, nothing is installed. */
const pgbouncerProgram = (): Program => {
  const installed = Bun.which("pgbouncer");
  if (installed !== null) return { command: installed, env: { PATH: process.env["PATH"] ?? "" } };
  for (const packages of [[], PACKAGES, OTHER_PACKAGES]) {
    if (packages.length > 0) unpackDebianPackages(DIRECTORY, packages);
    if (runs(unpacked())) return unpacked();
  }
  throw new Error("pgbouncer was not found and could not be fetched: install pgbouncer");
};

export interface PgBouncer extends AsyncDisposable {
  /** The URL of the database that it leads to. */
  readonly url: string;
  /** SIGKILL: every connection through it is lost. */
  kill(): Promise<void>;
  /** Starts it again at the same address. */
  start(): Promise<void>;
}

export interface PgBouncerOptions {
  /** Connections to the server at most; 5 if not given. */
  readonly poolSize?: number;
  /** Further lines of its settings. */
  readonly settings?: readonly string[];
}

/** How soon it asks a server again that could not be reached. PgBouncer's default is 15 s. */
const LOGIN_RETRY_S = 1;

/** Starts PgBouncer in transaction mode before a database. */
export const startPgBouncer = async (
  databaseUrl: string,
  { poolSize = 5, settings: further = [] }: PgBouncerOptions = {},
): Promise<PgBouncer> => {
  const { command, env } = pgbouncerProgram();
  const target = new URL(databaseUrl);
  const directory = mkdtempSync(join(tmpdir(), "pgbouncer-"));
  const settings = join(directory, "pgbouncer.ini");
  const port = await ownPort();
  writeFileSync(
    settings,
    `[databases]
* = host=${target.hostname} port=${target.port} user=${target.username}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = ${poolSize}
server_login_retry = ${LOGIN_RETRY_S}
${further.join("\n")}
`,
  );
  const start = async (): Promise<Child> => {
    const started = Promise.withResolvers<void>();
    const child = startChild({
      asUser: asOrdinaryUser([directory]),
      command: [command, settings],
      env,
      onLine: (line) => {
        if (line.includes("process up")) started.resolve();
      },
      deathSignal: "INT",
    });
    void child.exited.then((how) => started.reject(new Error(`pgbouncer ended (${how}): ${child.lastLines()}`)));
    await started.promise;
    return child;
  };
  let child = await start();
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${port}`;
  return {
    url: url.href,
    kill: () => child.stop("SIGKILL", 5_000),
    start: async () => {
      child = await start();
    },
    [Symbol.asyncDispose]: async () => {
      await child.stop("SIGINT", 5_000);
      rmSync(directory, { recursive: true, force: true });
    },
  };
};
