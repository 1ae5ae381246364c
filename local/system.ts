import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pause } from "../runtime/loop.ts";
import { type Child, startChild } from "./child.ts";
import { createPrinter } from "./log-lines.ts";
import type { StartOptions } from "./options.ts";
import { freePort, isFree } from "./ports.ts";
import { startPostgres } from "./postgres.ts";
import { startRedis } from "./redis.ts";
import { findRedis } from "./redis-program.ts";

export interface SystemDeps {
  /** The project's folder. */
  readonly root: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly print: (line: string) => void;
  readonly isColourful: boolean;
  /** Aborted: stop starting. */
  readonly signal: AbortSignal;
  /** Called when a part ended that should not have: which, and how. */
  readonly onDeath: (part: string, how: string) => void;
}

export interface Addresses {
  readonly api: string;
  readonly inbox: string | undefined;
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly consumers: readonly { readonly name: string; readonly health: string; readonly pid: () => number }[];
}

/** The parts that run, from the stores up. */
export interface LocalSystem {
  start(): Promise<Addresses>;
  /** Ends all parts: consumers and api drain first, the stores end last. */
  stop(): Promise<void>;
}

const READY_TIMEOUT_MS = 30_000;
const DRAIN_MS = 30_000;
const RESTART_AFTER_MS = 1_000;
/** A consumer that dies so often in so short a time is not started again. */
const MAX_DEATHS = 5;
const DEATHS_WITHIN_MS = 10_000;

export const createLocalSystem = (deps: SystemDeps, options: StartOptions): LocalSystem => {
  const { root, environment, print, isColourful, signal, onDeath } = deps;
  const directory = join(root, ".local");
  /** In the order of their start; ended in the reverse order. */
  const parts: { readonly name: string; readonly stop: () => Promise<void> }[] = [];
  let stopping = false;
  let printers = 0;
  const printerOf = (name: string) => createPrinter(printers++, name, isColourful, print);

  const watch = (name: string, exited: Promise<string>): void => {
    void exited.then((how) => {
      if (!stopping) onDeath(name, how);
    });
  };

  const bun = (file: string) => [process.execPath, join(root, file)];
  const startPart = (name: string, command: readonly string[], env: Record<string, string>): Child =>
    startChild({ command, env, cwd: root, onLine: printerOf(name), deathSignal: "TERM" });

  const untilReady = async (url: string, child: Child, what: string): Promise<void> => {
    let how: string | undefined;
    void child.exited.then((exit) => {
      how = exit;
    });
    const deadline = performance.now() + READY_TIMEOUT_MS;
    while (performance.now() < deadline && !signal.aborted) {
      if (how !== undefined) throw new Error(`${what} ended while it started: ${how}`);
      const response = await fetch(url, { signal: AbortSignal.timeout(1_000) }).catch(() => undefined);
      if (response?.ok) return;
      await pause(50, signal);
    }
    if (!signal.aborted) throw new Error(`${what} was not ready within ${READY_TIMEOUT_MS / 1_000} s`);
  };

  const databaseUrl = async (): Promise<string> => {
    const given = environment["DATABASE_URL"];
    if (given !== undefined) return given;
    print("starting PostgreSQL");
    const server = await startPostgres({ dataDirectory: join(directory, "postgres"), port: await freePort() });
    parts.push({ name: "postgres", stop: server.stop });
    watch("PostgreSQL", server.exited);
    return server.url;
  };

  const redisUrl = async (): Promise<string> => {
    const given = environment["REDIS_URL"];
    if (given !== undefined) return given;
    const program = findRedis(join(directory, "redis"), print);
    print("starting Redis");
    const server = await startRedis({ program, dataDirectory: join(directory, "redis-data"), port: await freePort() });
    parts.push({ name: "redis", stop: server.stop });
    watch("Redis", server.exited);
    return server.url;
  };

  const startInbox = async (): Promise<{
    readonly page: string | undefined;
    readonly mail: Record<string, string>;
  }> => {
    if (environment["MAIL_SERVER"] !== undefined) return { page: undefined, mail: {} };
    print("starting the inbox");
    const [smtpPort, httpPort] = [await freePort(), await freePort(8025)];
    const ports = ["--smtp-port", String(smtpPort), "--http-port", String(httpPort)];
    const command = [...bun("local/inbox/main.ts"), "--directory", join(directory, "inbox"), ...ports];
    const child = startPart("inbox", command, ownEnvironment());
    parts.push({ name: "inbox", stop: () => child.stop("SIGTERM", 5_000) });
    watch("the inbox", child.exited);
    const page = `http://127.0.0.1:${httpPort}`;
    await untilReady(page, child, "the inbox");
    return { page, mail: { MAIL_SERVER: "127.0.0.1", MAIL_PORT: String(smtpPort), MAIL_TLS: "none" } };
  };

  const ownEnvironment = (): Record<string, string> =>
    Object.fromEntries(
      Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined),
    );

  const migrate = async (env: Record<string, string>): Promise<void> => {
    print("bringing the database up to date");
    const how = await startPart("migrate", bun("database/migrate.ts"), env).exited;
    if (how !== "exit code 0") throw new Error(`the database could not be brought up to date: ${how}`);
  };

  /** A consumer may be killed to see that its mail still comes: another takes its place. */
  const startConsumer = (index: number, env: Record<string, string>, healthPort: number) => {
    const name = `consumer-${index}`;
    const own = { ...env, CONSUMER_NAME: name, CONSUMER_HEALTH_PORT: String(healthPort) };
    const deaths: number[] = [];
    const print = printerOf(name);
    let child: Child;
    const run = () => {
      child = startChild({
        command: bun("consumers/main.ts"),
        env: own,
        cwd: root,
        onLine: print,
        deathSignal: "TERM",
      });
      void child.exited.then(async (how) => {
        if (stopping) return;
        deaths.push(performance.now());
        const recent = deaths.filter((at) => performance.now() - at < DEATHS_WITHIN_MS).length;
        if (how === "exit code 78" || recent >= MAX_DEATHS) return onDeath(name, how);
        deps.print(`${name} ended (${how}); a new one starts in ${RESTART_AFTER_MS / 1_000} s`);
        await pause(RESTART_AFTER_MS, signal);
        if (!stopping) run();
      });
    };
    run();
    parts.push({ name, stop: () => child.stop("SIGTERM", DRAIN_MS) });
    return {
      name,
      health: `http://127.0.0.1:${healthPort}`,
      pid: () => child.pid,
      ready: () => untilReady(`http://127.0.0.1:${healthPort}/readyz`, child, name),
    };
  };

  const apiPort = async (): Promise<number> => {
    if (options.port !== undefined) {
      if (!(await isFree(options.port))) throw new Error(`port ${options.port} is in use; choose another with --port`);
      return options.port;
    }
    const preferred = Number(environment["PORT"] ?? 3_000);
    const port = await freePort(preferred);
    if (port !== preferred) print(`port ${preferred} is in use; the API takes ${port}`);
    return port;
  };

  return {
    async start() {
      if (options.fresh) {
        for (const name of ["postgres", "redis-data", "inbox"])
          rmSync(join(directory, name), { recursive: true, force: true });
      }
      mkdirSync(directory, { recursive: true });
      const [database, redis, inbox] = await Promise.all([databaseUrl(), redisUrl(), startInbox()]);
      const port = await apiPort();
      const env: Record<string, string> = {
        MAIL_FROM: "welcome@toblug.example",
        PUBLIC_URL: `http://localhost:${port}`,
        ...inbox.mail,
        ...ownEnvironment(),
        DATABASE_URL: database,
        REDIS_URL: redis,
        PORT: String(port),
      };
      if (signal.aborted) throw new Error("asked to stop while starting");
      await migrate(env);
      print(`starting the API and ${options.consumers} consumers`);
      const api = startPart("api", bun("api/main.ts"), env);
      parts.push({ name: "api", stop: () => api.stop("SIGTERM", DRAIN_MS) });
      watch("the API", api.exited);
      const consumers = [];
      for (let index = 1; index <= options.consumers; index += 1) {
        consumers.push(startConsumer(index, env, await freePort()));
      }
      const url = `http://localhost:${port}`;
      await Promise.all([
        untilReady(`http://127.0.0.1:${port}/readyz`, api, "the API"),
        ...consumers.map((consumer) => consumer.ready()),
      ]);
      const addresses = { api: url, inbox: inbox.page, databaseUrl: database, redisUrl: redis, consumers };
      writeFileSync(join(directory, "addresses.json"), `${JSON.stringify(addresses, undefined, 2)}\n`, { mode: 0o600 });
      return addresses;
    },
    async stop() {
      stopping = true;
      const isStore = ({ name }: { readonly name: string }) => ["postgres", "redis"].includes(name);
      const end = async ({ name, stop }: { readonly name: string; readonly stop: () => Promise<void> }) => {
        await stop().catch((error: unknown) => print(`${name} could not be stopped: ${String(error)}`));
      };
      const [stores, others] = [parts.filter(isStore), parts.filter((part) => !isStore(part))];
      // The inbox stays until the last mail in flight is taken.
      await Promise.all(others.filter(({ name }) => name !== "inbox").map(end));
      await Promise.all(others.filter(({ name }) => name === "inbox").map(end));
      await Promise.all(stores.map(end));
      rmSync(join(directory, "addresses.json"), { force: true });
    },
  };
};
