import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { type Child, startChild } from "../../local/child.ts";
import { freePort } from "../../local/ports.ts";
import { type LocalServer, startPostgres } from "../../local/postgres.ts";
import { startRedis } from "../../local/redis.ts";
import { findRedis } from "../../local/redis-program.ts";
import { createLink, type Link } from "./link.ts";
import type { ChaoticMailServer } from "./mail-server.ts";

/** A process that faults befall. It can be ended, frozen, and started again. */
export interface Victim {
  readonly name: string;
  readonly kind: "api" | "consumer";
  readonly url: string;
  start(): void;
  signal(signal: NodeJS.Signals): void;
  /** Resolves when it has ended. */
  ended(): Promise<string>;
  stop(): Promise<void>;
}

export interface ChaosSystem extends AsyncDisposable {
  readonly victims: readonly Victim[];
  readonly links: readonly Link[];
  readonly databaseUrl: string;
  readonly redisUrl: string;
  /** How often a line with these words was logged, by all processes. */
  logged(words: string): number;
  killRedis(): Promise<void>;
  startRedis(): Promise<void>;
  killPostgres(): Promise<void>;
  startPostgres(): Promise<void>;
}

/** Times are short, so that a minute holds many faults; hashing is cheap. */
const SETTINGS = {
  STREAM_NAME: "chaos",
  MAIL_TLS: "none",
  MAIL_SERVER: "127.0.0.1",
  MAIL_FROM: "welcome@toblug.example",
  PASSWORD_HASH_MEMORY_KIB: "8",
  PASSWORD_HASH_PASSES: "1",
  CLAIM_MIN_IDLE_MS: "2000",
  RETRY_DELAY_MS: "300",
  RETRY_GREYLIST_MS: "500",
  RETRY_MAX: "20",
  RECONCILE_AFTER_MS: "4000",
  DRAIN_TIMEOUT_MS: "5000",
};

const root = join(import.meta.dir, "..", "..");

const withPort = (url: string, port: number): string => {
  const changed = new URL(url);
  changed.port = String(port);
  return changed.href;
};

/** Two APIs, three consumers, Postgres and Redis with its file; a link of its own between any two. */
export const startChaosSystem = async (directory: string, mailServer: ChaoticMailServer): Promise<ChaosSystem> => {
  const program = findRedis(join(root, ".local", "redis"), console.log);
  const redisOptions = { program, dataDirectory: join(directory, "redis"), port: await freePort() };
  const postgresOptions = {
    dataDirectory: join(directory, "postgres"),
    port: await freePort(),
    settings: ["max_connections=200"],
  };
  let redis: LocalServer = await startRedis(redisOptions);
  let postgres: LocalServer = await startPostgres(postgresOptions);
  const [databaseUrl, redisUrl] = [postgres.url, redis.url];
  const env = { PATH: process.env["PATH"] ?? "", ...SETTINGS };
  const migrated = Bun.spawnSync([process.execPath, "database/migrate.ts"], {
    cwd: root,
    env: { ...env, DATABASE_URL: databaseUrl },
  });
  if (!migrated.success) throw new Error(`the database could not be made: ${migrated.stderr.toString()}`);

  const links: Link[] = [];
  const link = async (name: string, port: number): Promise<number> => {
    const made = await createLink(name, port);
    links.push(made);
    return made.port;
  };
  const counts = new Map<string, number>();

  const createVictim = async (kind: Victim["kind"], name: string): Promise<Victim> => {
    const log = createWriteStream(join(directory, `${name}.log`), { flags: "a" });
    const port = await freePort();
    const own: Record<string, string> = {
      ...env,
      DATABASE_URL: withPort(databaseUrl, await link(`${name} -> postgres`, postgresOptions.port)),
      REDIS_URL: withPort(redisUrl, await link(`${name} -> redis`, redisOptions.port)),
      ...(kind === "api" ? { PORT: String(port) } : { CONSUMER_HEALTH_PORT: String(port), CONSUMER_NAME: name }),
    };
    if (kind === "consumer") own["MAIL_PORT"] = String(await link(`${name} -> smtp`, mailServer.port));
    const file = kind === "api" ? "api/main.ts" : "consumers/main.ts";
    let child: Child;
    const onLine = (line: string): void => {
      log.write(`${line}\n`);
      const message = /"message":"([^"]*)"/.exec(line)?.[1];
      if (message !== undefined) counts.set(message, (counts.get(message) ?? 0) + 1);
    };
    const start = () => {
      child = startChild({ command: [process.execPath, file], env: own, cwd: root, onLine, deathSignal: "TERM" });
    };
    start();
    return {
      name,
      kind,
      url: `http://127.0.0.1:${port}`,
      start,
      signal: (signal) => {
        try {
          process.kill(child.pid, signal);
        } catch {
          // It has ended already.
        }
      },
      ended: () => child.exited,
      stop: () => child.stop("SIGTERM", 10_000),
    };
  };

  const victims = [
    await createVictim("api", "api-1"),
    await createVictim("api", "api-2"),
    await createVictim("consumer", "consumer-1"),
    await createVictim("consumer", "consumer-2"),
    await createVictim("consumer", "consumer-3"),
  ];
  const kill = async (server: LocalServer): Promise<void> => {
    try {
      process.kill(server.pid, "SIGKILL");
    } catch {
      // It has ended already.
    }
    await server.exited;
  };
  return {
    victims,
    links,
    databaseUrl,
    redisUrl,
    logged: (words) => [...counts].reduce((sum, [message, count]) => (message.includes(words) ? sum + count : sum), 0),
    killRedis: () => kill(redis),
    startRedis: async () => {
      redis = await startRedis(redisOptions);
    },
    killPostgres: () => kill(postgres),
    startPostgres: async () => {
      postgres = await startPostgres(postgresOptions);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(victims.map((victim) => victim.stop()));
      await Promise.all(links.map((each) => each[Symbol.asyncDispose]()));
      await Promise.all([redis.stop(), postgres.stop()]);
    },
  };
};
