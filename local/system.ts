import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Affected, Restartable } from "./affected.ts";
import { type Child, startChild } from "./child.ts";
import type { Given } from "./given.ts";
import { inboxCommand } from "./inbox-command.ts";
import { type KeptPart, keepPart } from "./kept-part.ts";
import { keptToken } from "./kept-token.ts";
import { createPrinter } from "./log-lines.ts";
import { type InboxKind, reachableAt } from "./options.ts";
import { claimPort, freePort, isFree, openPortBook, type PortBook } from "./ports.ts";
import { untilReady } from "./ready.ts";
import { storeUrls } from "./store-urls.ts";
import { removeStores, startLocalPostgres, startLocalRedis } from "./stores.ts";
import type { Addresses } from "./welcome.ts";

/** The commands of the system's own programs. */
export interface Programs {
  readonly migrate: readonly string[];
  readonly api: readonly string[];
  readonly consumer: readonly string[];
  readonly inbox: readonly string[];
}

export interface SystemOptions {
  /** Where the programs run: the folder of bunfig.toml and .env. */
  readonly root: string;
  /** Where data, logs and state files are kept. */
  readonly directory: string;
  readonly programs: Programs;
  readonly given: Given;
  /** Starts over: what earlier runs kept is removed. */
  readonly fresh: boolean;
  readonly consumers: number;
  /** The API's; undefined: the default, or any free one if that is in use. */
  readonly port: number | undefined;
  /** Where the API, the health ports and the inbox listen. */
  readonly host: string;
  /** What catches the mails. */
  readonly inbox: InboxKind;
  /** Source files are being changed: once the system is up, a part that ended waits for `restart`. */
  readonly watch: boolean;
  readonly print: (line: string) => void;
  readonly isColourful: boolean;
  /** Aborts a start under way. */
  readonly signal: AbortSignal;
  /** Called when a part ends unasked: its name, how it ended, and its last lines. */
  readonly onDeath: (part: string, how: string, lastLines: string) => void;
}

/** The parts that run, from the stores up. */
export interface LocalSystem {
  start(): Promise<Addresses>;
  /** Migrates if asked to, then replaces the processes of these parts; reports what fails, and never rejects. */
  restart(affected: Affected): Promise<void>;
  /** Ends all parts: api and consumers drain first, the stores end last. */
  stop(): Promise<void>;
}

/** In the order in which they end: the inbox stays until the last mail in flight is delivered. */
const PHASES = ["work", "inbox", "store"] as const;

interface Part {
  readonly name: string;
  readonly phase: (typeof PHASES)[number];
  readonly stop: () => Promise<void>;
}

/** Added to the time that a part allows itself to drain. */
const DRAIN_SLACK_MS = 5_000;
const INBOX_STOP_MS = 5_000;
/** A killed consumer starts again; one that dies this often within 10 s has a lasting fault. */
const MAX_CONSUMER_DEATHS = 5;
const USUAL_PORTS = { postgres: 15_432, redis: 16_379, smtp: 1_025, inbox: 8_025, firstConsumer: 9_101 };

/** The names of the receivers of webhooks, and what each gets: enough to know their groups, without a secret. */
const receiversIn = (env: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(env).filter(([name]) => /^WEBHOOKS$|^WEBHOOK_\w+_EVENTS$/.test(name)));

export const createLocalSystem = (options: SystemOptions): LocalSystem => {
  const { directory, programs, given, print, signal, onDeath } = options;
  const drainTimeoutMs = given.settings.DRAIN_TIMEOUT_MS + DRAIN_SLACK_MS;
  const parts: Part[] = [];
  const work: Record<Restartable, KeptPart[]> = { api: [], consumers: [] };
  let migrateEnv: Record<string, string> = {};
  let isUp = false;
  let isStopping = false;
  let printers = 0;
  const printerOf = (name: string) => createPrinter(printers++, name, options.isColourful, print);
  const file = (name: string) => join(directory, name);

  const startProgram = (command: readonly string[], env: Record<string, string>, onLine: (line: string) => void) =>
    startChild({ command, env, cwd: options.root, onLine, deathSignal: "TERM" });

  /** Registers a part, so that it is stopped in its phase and its own end is reported. */
  const keep = (name: string, phase: Part["phase"], part: Pick<Child, "exited" | "lastLines">, stop: Part["stop"]) => {
    parts.push({ name, phase, stop });
    void part.exited.then((how) => {
      if (!isStopping) onDeath(name, how, part.lastLines());
    });
  };

  const apiPort = async (): Promise<number> => {
    const asked = options.port ?? (given.has("PORT") ? given.settings.PORT : undefined);
    if (asked === undefined) {
      const usual = given.settings.PORT;
      const port = await freePort(claimPort(usual) ? usual : undefined);
      if (port !== usual) print(`port ${usual} is in use; the API listens on ${port}`);
      return port;
    }
    if (await isFree(asked)) return asked === 0 ? freePort() : asked;
    throw new Error(`port ${asked} is in use; choose another with --port, or omit --port to use any free one`);
  };

  const startInbox = async (portOf: PortBook["portOf"]) => {
    if (given.has("MAIL_SERVER")) return undefined;
    print("starting the inbox");
    const [smtpPort, httpPort] = [await portOf("smtp", USUAL_PORTS.smtp), await portOf("inbox", USUAL_PORTS.inbox)];
    const kept = file("inbox");
    mkdirSync(kept, { recursive: true, mode: 0o700 });
    const command = inboxCommand({
      kind: options.inbox,
      own: programs.inbox,
      directory: kept,
      host: options.host,
      smtpPort,
      httpPort,
      which: (name) => Bun.which(name),
    });
    const child = startProgram(command, { ...given.environment }, printerOf("inbox"));
    keep("inbox", "inbox", child, () => child.stop("SIGTERM", INBOX_STOP_MS));
    const page = `http://${reachableAt(options.host)}:${httpPort}`;
    await untilReady("the inbox", page, signal);
    return { page, mail: { MAIL_SERVER: "127.0.0.1", MAIL_PORT: String(smtpPort), MAIL_TLS: "none" } };
  };

  const startPostgres = async (portOf: PortBook["portOf"]): Promise<string> => {
    if (given.has("DATABASE_URL")) return given.settings.DATABASE_URL;
    print("starting PostgreSQL");
    const port = await portOf("postgres", USUAL_PORTS.postgres);
    const server = await startLocalPostgres(directory, port, signal);
    keep("PostgreSQL", "store", server, server.stop);
    return server.url;
  };

  const startRedis = async (portOf: PortBook["portOf"]): Promise<string> => {
    if (given.settings.REDIS_URL !== undefined) return given.settings.REDIS_URL;
    const port = await portOf("redis", USUAL_PORTS.redis);
    const { STREAM_NAME: streamName } = given.settings;
    const server = await startLocalRedis(directory, { port, streamName, signal }, print);
    keep("Redis", "store", server, server.stop);
    return server.url;
  };

  const migrate = async (env: Record<string, string>): Promise<void> => {
    print("bringing the database up to date");
    // A database of the person's own has the roles that they gave it.
    const flags = given.has("DATABASE_URL") ? [] : ["--roles"];
    const child = startProgram([...programs.migrate, ...flags], env, printerOf("migrate"));
    const end = () => void child.stop("SIGTERM", DRAIN_SLACK_MS);
    signal.addEventListener("abort", end);
    const how = await child.exited;
    signal.removeEventListener("abort", end);
    signal.throwIfAborted();
    if (how !== "exit code 0") throw new Error(`the database could not be brought up to date: ${how}`);
  };

  const keepWork = (
    name: string,
    which: Restartable,
    command: readonly string[],
    env: Record<string, string>,
    maxDeaths: number,
  ): KeptPart => {
    const printer = printerOf(name);
    const part = keepPart({
      name,
      drainTimeoutMs,
      print,
      maxDeaths,
      start: () => startProgram(command, env, printer),
      onGivingUp: (how, lastLines) => {
        if (!(isUp && options.watch)) return onDeath(name, how, lastLines);
        print(`${name} ended by itself: ${how}. It starts again when one of its source files is saved`);
      },
    });
    parts.push({ name, phase: "work", stop: part.stop });
    work[which].push(part);
    return part;
  };

  const start = async (): Promise<Addresses> => {
    mkdirSync(directory, { recursive: true });
    if (options.fresh) await removeStores(directory, print);
    const { portOf } = openPortBook(file("ports.json"));
    const port = await apiPort();
    // All are awaited, even when one fails: `stop` must know everything that was started.
    const started = await Promise.allSettled([startPostgres(portOf), startRedis(portOf), startInbox(portOf)]);
    signal.throwIfAborted();
    const [database, redis, inbox] = started;
    if (database.status === "rejected") throw database.reason;
    if (redis.status === "rejected") throw redis.reason;
    if (inbox.status === "rejected") throw inbox.reason;

    const here = reachableAt(options.host);
    const url = `http://${here === "127.0.0.1" ? "localhost" : here}:${port}`;
    const env: Record<string, string> = {
      MAIL_FROM: "welcome@toblug.example",
      PUBLIC_URL: url,
      LISTEN_HOST: options.host,
      ...given.environment,
      // Without one, the routes for machines answer 401.
      ...(given.has("SERVICE_TOKEN") ? {} : { SERVICE_TOKEN: keptToken(file("service-token")) }),
      ...inbox.value?.mail,
      PORT: String(port),
    };
    const urls = storeUrls(given, { database: database.value, redis: redis.value });
    migrateEnv = { ...env, ...urls.migrate };
    await migrate(migrateEnv);
    print(`starting the API and ${options.consumers} ${options.consumers === 1 ? "consumer" : "consumers"}`);
    const ofConsole = {
      ...(given.has("CONSOLE_TOKEN") ? {} : { CONSOLE_TOKEN: keptToken(file("console-token")) }),
      ...(given.has("CONSOLE_DATABASE_URL") ? {} : { CONSOLE_DATABASE_URL: urls.ops.DATABASE_URL }),
      ...(given.has("CONSOLE_REDIS_URL") ? {} : { CONSOLE_REDIS_URL: urls.ops.REDIS_URL }),
    };
    keepWork("api", "api", programs.api, { ...env, ...urls.api, ...ofConsole }, 1);
    const consumers = [];
    for (let index = 1; index <= options.consumers; index += 1) {
      const name = `consumer-${index}`;
      const healthPort = await portOf(name, USUAL_PORTS.firstConsumer + index - 1);
      const own = { ...env, ...urls.consumer, CONSUMER_NAME: name, CONSUMER_HEALTH_PORT: String(healthPort) };
      const { pid } = keepWork(name, "consumers", programs.consumer, own, MAX_CONSUMER_DEATHS);
      consumers.push({ name, pid, health: `http://${here}:${healthPort}/readyz` });
    }
    await Promise.all([
      untilReady("the API", `http://${here}:${port}/readyz`, signal),
      ...consumers.map(({ name, health }) => untilReady(name, health, signal)),
    ]);
    isUp = true;
    const addresses = {
      api: url,
      inbox: inbox.value?.page,
      databaseUrl: database.value,
      redisUrl: redis.value,
      consumers,
    };
    const { MAIL_FROM, PUBLIC_URL } = env;
    const settings = { MAIL_FROM, PUBLIC_URL, ...receiversIn(env), ...inbox.value?.mail };
    const ofOps = { ...addresses, databaseUrl: urls.ops.DATABASE_URL, redisUrl: urls.ops.REDIS_URL, settings };
    writeFileSync(file("addresses.json"), `${JSON.stringify(ofOps, undefined, 2)}\n`, { mode: 0o600 });
    return addresses;
  };

  const restart = async (affected: Affected): Promise<void> => {
    try {
      if (affected.migrate) await migrate(migrateEnv);
      await Promise.all(affected.parts.flatMap((which) => work[which]).map((part) => part.replace()));
    } catch (error) {
      if (!isStopping) print(`nothing is restarted: ${error instanceof Error ? error.message : error}`);
    }
  };

  const stop = async (): Promise<void> => {
    isStopping = true;
    for (const phase of PHASES) {
      await Promise.all(parts.filter((part) => part.phase === phase).map((part) => part.stop()));
    }
    rmSync(file("addresses.json"), { force: true });
  };

  return { start, restart, stop };
};
