import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Child, startChild } from "../local/child.ts";
import { untilReady } from "../local/ready.ts";
import { randomHex } from "../observability/trace-context.ts";
import { withTestDatabase } from "../tests/database.ts";
import { ownPort } from "../tests/own-port.ts";

export interface BenchProcess {
  readonly pid: number;
  /** Of its HTTP server. */
  readonly port: number;
}

/** The programs of a checkout, on a database and a stream of their own. Disposing kills them and drops the database. */
export interface Checkout extends AsyncDisposable {
  api(): Promise<BenchProcess>;
  consumer(smtpPort: number, settings?: Readonly<Record<string, string>>): Promise<BenchProcess>;
}

export interface CheckoutOptions {
  /** The checkout's folder; its dependencies are installed. */
  readonly tree: string;
  readonly redisUrl: string;
  /** Mails that its consumer has in flight. */
  readonly concurrency: number;
}

const KILL_TIMEOUT_MS = 5_000;

/** As an operator would set them, except the hash: at its real cost it would dominate. */
const SETTINGS = {
  PATH: process.env["PATH"] ?? "",
  PUBLIC_URL: "https://signup.example",
  MAIL_SERVER: "127.0.0.1",
  MAIL_TLS: "none",
  MAIL_FROM: "welcome@toblug.example",
  SERVICE_TOKEN: "a-token-for-benchmarks-alone",
  PASSWORD_HASH_MEMORY_KIB: "8",
  PASSWORD_HASH_PASSES: "1",
};

/** Starts nothing yet but the checkout's own migrations. */
export const openCheckout = async ({ tree, redisUrl, concurrency }: CheckoutOptions): Promise<Checkout> => {
  const database = await withTestDatabase({ migrated: false });
  const logs = mkdtempSync(join(tmpdir(), "signup-stream-bench-"));
  const running: Child[] = [];
  const environment = {
    ...SETTINGS,
    DATABASE_URL: database.url,
    REDIS_URL: redisUrl,
    STREAM_NAME: `bench-${randomHex(6)}`,
    CONSUMER_CONCURRENCY: String(concurrency),
  };

  const start = (file: string, env: Readonly<Record<string, string>>): Child => {
    const child = startChild({
      command: [process.execPath, ...file.split(" ")],
      cwd: tree,
      env: { ...environment, ...env },
      // Not a pipe: reading it would cost CPU time during the measurement.
      logFile: join(logs, `${running.length}.log`),
      deathSignal: "TERM",
    });
    running.push(child);
    return child;
  };

  const serve = async (file: string, port: number, env: Readonly<Record<string, string>>): Promise<BenchProcess> => {
    const child = start(file, env);
    const ended = new AbortController();
    void child.exited.then((how) => ended.abort(new Error(`${file} of ${tree}: ${how}\n${child.lastLines()}`)));
    await untilReady(`${file} of ${tree}`, `http://127.0.0.1:${port}/readyz`, ended.signal);
    return { pid: child.pid, port };
  };

  const close = async () => {
    await Promise.all(running.map((child) => child.stop("SIGKILL", KILL_TIMEOUT_MS)));
    await database.drop();
    rmSync(logs, { recursive: true, force: true });
  };

  const migration = start("database/migrate.ts", {});
  const how = await migration.exited;
  if (how !== "exit code 0") {
    const words = migration.lastLines();
    await close();
    throw new Error(`the migrations of ${tree} failed: ${how}\n${words}`);
  }
  return {
    async api() {
      const port = await ownPort();
      return serve("api/main.ts", port, { PORT: String(port) });
    },
    async consumer(smtpPort, settings = {}) {
      const port = await ownPort();
      return serve("consumers/main.ts --group welcome-email", port, {
        CONSUMER_HEALTH_PORT: String(port),
        MAIL_PORT: String(smtpPort),
        ...settings,
      });
    },
    [Symbol.asyncDispose]: close,
  };
};
