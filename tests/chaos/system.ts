import { join } from "node:path";
import { type LocalServer, startPostgres } from "../../local/postgres.ts";
import { startRedis } from "../../local/redis.ts";
import { findRedis } from "../../local/redis-program.ts";
import { ownPort } from "../own-port.ts";
import { findClockLibrary } from "./clock-library.ts";
import { createLink, type Link } from "./link.ts";
import type { LogCounts } from "./log-counts.ts";
import type { ChaoticMailServer } from "./mail-server.ts";
import { createVictim, type Victim } from "./victim.ts";

/** All that runs, and what a fault needs to reach each part of it. */
export interface ChaosSystem extends AsyncDisposable {
  readonly victims: readonly Victim[];
  readonly links: readonly Link[];
  readonly databaseUrl: string;
  readonly redisUrl: string;
  /** What processes did that they must not: ended by themselves, with a wrong code, or not when they were told to. */
  readonly misconduct: readonly string[];
  /** SIGTERM to every API and consumer, as at the end of a day: each has to end by itself. */
  retire(): Promise<void>;
  killRedis(): Promise<void>;
  startRedis(): Promise<void>;
  killPostgres(): Promise<void>;
  startPostgres(): Promise<void>;
}

export interface ChaosSystemOptions {
  /** Data and logs. */
  readonly directory: string;
  readonly mailServer: ChaoticMailServer;
  readonly logs: LogCounts;
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

const PARTS = [
  { kind: "api", name: "api-1", hasFakeClock: false },
  { kind: "api", name: "api-2", hasFakeClock: true },
  { kind: "consumer", name: "consumer-1", hasFakeClock: false },
  { kind: "consumer", name: "consumer-2", hasFakeClock: false },
  { kind: "consumer", name: "consumer-3", hasFakeClock: true },
] as const;

const root = join(import.meta.dir, "..", "..");

const withPort = (url: string, port: number): string => {
  const changed = new URL(url);
  changed.port = String(port);
  return changed.href;
};

const kill = async (server: LocalServer): Promise<void> => {
  try {
    process.kill(server.pid, "SIGKILL");
  } catch {
    // It has ended already.
  }
  await server.exited;
};

/** Two APIs, three consumers, Postgres and Redis with its file; a link of its own between any two. */
export const startChaosSystem = async (options: ChaosSystemOptions): Promise<ChaosSystem> => {
  const { directory, mailServer, logs } = options;
  const program = findRedis(join(root, ".local", "redis"), console.log);
  const clockLibrary = findClockLibrary(join(root, ".local", "libfaketime"));
  if (clockLibrary === undefined) console.log("no libfaketime here: clocks do not jump");
  const redisOptions = { program, dataDirectory: join(directory, "redis"), port: await ownPort() };
  const postgresOptions = {
    dataDirectory: join(directory, "postgres"),
    port: await ownPort(),
    settings: ["max_connections=200"],
  };
  let redis = await startRedis(redisOptions);
  let postgres = await startPostgres(postgresOptions);
  const [databaseUrl, redisUrl] = [postgres.url, redis.url];
  const env = { PATH: process.env["PATH"] ?? "", ...SETTINGS };
  const migrated = Bun.spawnSync([process.execPath, "database/migrate.ts"], {
    cwd: root,
    env: { ...env, DATABASE_URL: databaseUrl },
  });
  if (!migrated.success) throw new Error(`the database could not be made: ${migrated.stderr.toString()}`);

  const links: Link[] = [];
  const link = async (name: string, port: number): Promise<string> => {
    const made = await createLink(name, port);
    links.push(made);
    return String(made.port);
  };
  const misconduct: string[] = [];
  const victims: Victim[] = [];
  for (const { kind, name, hasFakeClock } of PARTS) {
    const port = await ownPort();
    const own =
      kind === "api"
        ? { PORT: String(port) }
        : {
            CONSUMER_HEALTH_PORT: String(port),
            CONSUMER_NAME: name,
            MAIL_PORT: await link(`${name} -> smtp`, mailServer.port),
          };
    const stores = {
      DATABASE_URL: withPort(databaseUrl, Number(await link(`${name} -> postgres`, postgresOptions.port))),
      REDIS_URL: withPort(redisUrl, Number(await link(`${name} -> redis`, redisOptions.port))),
    };
    victims.push(
      createVictim({
        name,
        kind,
        file: kind === "api" ? "api/main.ts" : "consumers/main.ts",
        root,
        directory,
        port,
        env: { ...env, ...stores, ...own },
        clockLibrary: hasFakeClock ? clockLibrary : undefined,
        onLine: logs.read,
        onMisconduct: (what) => {
          console.log(`       ${what}`);
          misconduct.push(what);
        },
      }),
    );
  }
  return {
    victims,
    links,
    databaseUrl,
    redisUrl,
    misconduct,
    async retire() {
      for (const victim of victims) victim.terminate();
      await Promise.all(victims.map((victim) => victim.terminated()));
    },
    killRedis: () => kill(redis),
    startRedis: async () => {
      redis = await startRedis(redisOptions);
    },
    killPostgres: () => kill(postgres),
    startPostgres: async () => {
      postgres = await startPostgres(postgresOptions);
    },
    async [Symbol.asyncDispose]() {
      for (const each of links) each.heal();
      await Promise.all(victims.map((victim) => victim.stop()));
      await Promise.all(links.map((each) => each[Symbol.asyncDispose]()));
      await Promise.all([redis.stop(), postgres.stop()]);
    },
  };
};
