import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Child, startChild } from "../local/child.ts";
import { untilReady } from "../local/ready.ts";
import { randomHex } from "../observability/trace-context.ts";
import { withTestDatabase } from "../tests/database.ts";
import { ownPort } from "../tests/own-port.ts";

export type Environment = Readonly<Record<string, string>>;

export interface BenchProcess {
  readonly pid: number;
  /** Of its HTTP server; 0 of one that has none. */
  readonly port: number;
}

/** An API and consumers on a database, and in Redis under a name, of their own. Disposing kills them and drops the database. */
export interface Programs extends AsyncDisposable {
  readonly databaseUrl: string;
  /** What all of them are given. */
  readonly environment: Environment;
  /** Resolves when it answers. */
  api(settings?: Environment): Promise<BenchProcess>;
  /** Resolves when it is ready to work, or at once if it cannot be asked. */
  consumer(smtpPort: number, settings?: Environment): Promise<BenchProcess>;
}

/** What there is to start. */
export interface ProgramSet {
  readonly name: string;
  readonly cwd: string;
  readonly environment: Environment;
  /** Runs once, before all else. */
  readonly migrate?: readonly string[];
  readonly api: readonly string[];
  /** `health`: its HTTP server listens on `CONSUMER_HEALTH_PORT`. */
  readonly consumer: { readonly command: readonly string[]; readonly health: boolean };
}

export interface OpenOptions {
  readonly redisUrl: string;
  /** Mails that a consumer has in flight, and its SMTP connections. */
  readonly concurrency: number;
  /** Of ours: those that a consumer serves; the one that sends welcome mails if not given. */
  readonly groups?: readonly string[];
}

const KILL_TIMEOUT_MS = 5_000;

/** What ours and the peers alike are given. Hashes are at their cheapest: at their real cost they would dominate. */
const COMMON = {
  PATH: process.env["PATH"] ?? "",
  MAIL_SERVER: "127.0.0.1",
  PASSWORD_HASH_MEMORY_KIB: "8",
  PASSWORD_HASH_PASSES: "1",
};

/** Runs the migrations, and starts nothing else yet. */
export const openPrograms = async (set: ProgramSet, { redisUrl, concurrency }: OpenOptions): Promise<Programs> => {
  const database = await withTestDatabase({ migrated: false });
  const logs = mkdtempSync(join(tmpdir(), "signup-stream-bench-"));
  const running: Child[] = [];
  const environment = {
    ...COMMON,
    ...set.environment,
    DATABASE_URL: database.url,
    REDIS_URL: redisUrl,
    STREAM_NAME: `bench-${randomHex(6)}`,
    CONSUMER_CONCURRENCY: String(concurrency),
  };

  const start = (command: readonly string[], env: Environment): Child => {
    const child = startChild({
      command,
      cwd: set.cwd,
      env: { ...environment, ...env },
      // Not a pipe: reading it would cost CPU time during the measurement.
      logFile: join(logs, `${running.length}.log`),
      deathSignal: "TERM",
    });
    running.push(child);
    return child;
  };

  const serve = async (what: string, command: readonly string[], env: Environment, port: number) => {
    const child = start(command, env);
    const ended = new AbortController();
    void child.exited.then((how) => ended.abort(new Error(`${what} of ${set.name}: ${how}\n${child.lastLines()}`)));
    await untilReady(`${what} of ${set.name}`, `http://127.0.0.1:${port}/readyz`, ended.signal);
    return { pid: child.pid, port };
  };

  const close = async () => {
    await Promise.all(running.map((child) => child.stop("SIGKILL", KILL_TIMEOUT_MS)));
    await database.drop();
    rmSync(logs, { recursive: true, force: true });
  };

  if (set.migrate !== undefined) {
    const migration = start(set.migrate, {});
    const how = await migration.exited;
    if (how !== "exit code 0") {
      const words = migration.lastLines();
      await close();
      throw new Error(`the migrations of ${set.name} failed: ${how}\n${words}`);
    }
  }
  return {
    databaseUrl: database.url,
    environment,
    async api(settings = {}) {
      const port = await ownPort();
      return serve("the API", set.api, { ...settings, PORT: String(port) }, port);
    },
    async consumer(smtpPort, settings = {}) {
      const env = { ...settings, MAIL_PORT: String(smtpPort) };
      if (!set.consumer.health) return { pid: start(set.consumer.command, env).pid, port: 0 };
      const port = await ownPort();
      return serve("a consumer", set.consumer.command, { ...env, CONSUMER_HEALTH_PORT: String(port) }, port);
    },
    [Symbol.asyncDispose]: close,
  };
};
