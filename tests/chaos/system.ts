import { join } from "node:path";
import { type LocalServer, startPostgres } from "../../local/postgres.ts";
import { startRedis } from "../../local/redis.ts";
import { findRedis } from "../../local/redis-program.ts";
import { receiverVariable } from "../../settings/webhooks.ts";
import { PAYMENTS } from "../../stream/groups.ts";
import { ownPort } from "../own-port.ts";
import { findClockLibrary } from "./clock-library.ts";
import { EXAMPLE, MAIL, RECEIVER, REMINDER, WEBHOOK } from "./groups.ts";
import { createLink, type Link } from "./link.ts";
import type { LogSums } from "./log-sums.ts";
import type { ChaoticMailServer } from "./mail-server.ts";
import { createVictim, type Victim } from "./victim.ts";
import type { ChaoticReceiver } from "./webhook-receiver.ts";

/** All processes, and what a fault needs to act on each of them. */
export interface ChaosSystem extends AsyncDisposable {
  readonly victims: readonly Victim[];
  readonly links: readonly Link[];
  readonly databaseUrl: string;
  readonly redisUrl: string;
  /** Processes that exited by themselves, with a code other than 0, or too late after SIGTERM. */
  readonly misconduct: readonly string[];
  /** SIGTERM to every API and consumer: each has to exit by itself. */
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
  readonly receiver: ChaoticReceiver;
  readonly logs: LogSums;
  /** Where the example's consumers record their work. */
  readonly workFile: string;
}

export const STREAM_NAME = "chaos";
export const SERVICE_TOKEN = "a-token-for-chaos-alone";
/** Longer than most faults, so that what is due was looked up after them; short enough to wait for at the end. */
export const REMINDER_DELAY_MS = 15_000;

/** Short times, so that a minute has room for many faults; cheap password hashes. */
const SETTINGS = {
  STREAM_NAME,
  MAIL_TLS: "none",
  MAIL_FROM: "welcome@toblug.example",
  PASSWORD_HASH_MEMORY_KIB: "8",
  PASSWORD_HASH_PASSES: "1",
  CLAIM_MIN_IDLE_MS: "2000",
  RETRY_DELAY_MS: "300",
  RETRY_GREYLIST_MS: "500",
  RETRY_MAX: "20",
  RECONCILE_AFTER_MS: "4000",
  DRAIN_TIMEOUT_MS: "5000",
  REMINDER_DELAY_MS: String(REMINDER_DELAY_MS),
  WEBHOOKS: RECEIVER,
  WEBHOOK_ALLOW_PRIVATE: "true",
  WEBHOOK_TIMEOUT_MS: "4000",
  EXAMPLE_SLOW_SHARE: "0.1",
  EXAMPLE_FAILING_SHARE: "0.1",
  SERVICE_TOKEN,
};

/** Mail and example have three consumers each: two that run both, and one without the other. The other groups have two. */
const PARTS = [
  { kind: "api", name: "api-1", groups: [], hasFakeClock: false },
  { kind: "api", name: "api-2", groups: [], hasFakeClock: true },
  { kind: "consumer", name: "consumer-1", groups: [MAIL, EXAMPLE, REMINDER], hasFakeClock: false },
  { kind: "consumer", name: "consumer-2", groups: [MAIL, PAYMENTS.name, WEBHOOK], hasFakeClock: false },
  { kind: "consumer", name: "consumer-3", groups: [MAIL, EXAMPLE, REMINDER], hasFakeClock: true },
  { kind: "consumer", name: "consumer-4", groups: [EXAMPLE, PAYMENTS.name, WEBHOOK], hasFakeClock: false },
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
    // It has exited already.
  }
  await server.exited;
};

/** Two APIs, four consumers, Postgres, and Redis with an append-only file; each pair is connected by a link of its own. */
export const startChaosSystem = async (options: ChaosSystemOptions): Promise<ChaosSystem> => {
  const { directory, mailServer, receiver, logs, workFile } = options;
  const program = findRedis(join(root, ".local", "redis"), console.log);
  const clockLibrary = findClockLibrary(join(root, ".local", "libfaketime"));
  if (clockLibrary === undefined) console.log("libfaketime is unavailable: clocks do not jump");
  const redisOptions = { program, dataDirectory: join(directory, "redis"), port: await ownPort() };
  const postgresOptions = {
    dataDirectory: join(directory, "postgres"),
    port: await ownPort(),
    settings: ["max_connections=200"],
  };
  let redis = await startRedis(redisOptions);
  let postgres = await startPostgres(postgresOptions);
  const [databaseUrl, redisUrl] = [postgres.url, redis.url];
  const env = {
    PATH: process.env["PATH"] ?? "",
    ...SETTINGS,
    [receiverVariable(RECEIVER, "URL")]: receiver.url,
    [receiverVariable(RECEIVER, "SECRET")]: receiver.secret,
    EXAMPLE_WORK_FILE: workFile,
  };
  const migrated = Bun.spawnSync([process.execPath, "database/migrate.ts"], {
    cwd: root,
    env: { ...env, DATABASE_URL: databaseUrl },
  });
  if (!migrated.success) throw new Error(`migrating the database failed: ${migrated.stderr.toString()}`);

  const links: Link[] = [];
  const link = async (name: string, port: number): Promise<string> => {
    const made = await createLink(name, port);
    links.push(made);
    return String(made.port);
  };
  const misconduct: string[] = [];
  const victims: Victim[] = [];
  for (const { kind, name, groups, hasFakeClock } of PARTS) {
    const port = await ownPort();
    const own =
      kind === "api"
        ? { PORT: String(port) }
        : {
            CONSUMER_HEALTH_PORT: String(port),
            CONSUMER_NAME: name,
            ...(groups.some((group) => group === MAIL)
              ? { MAIL_PORT: await link(`${name} -> smtp`, mailServer.port), MAIL_SERVER: "127.0.0.1" }
              : {}),
          };
    const stores = {
      DATABASE_URL: withPort(databaseUrl, Number(await link(`${name} -> postgres`, postgresOptions.port))),
      REDIS_URL: withPort(redisUrl, Number(await link(`${name} -> redis`, redisOptions.port))),
    };
    victims.push(
      createVictim({
        name,
        kind,
        groups,
        command: [
          kind === "api" ? "tests/example-api.ts" : "tests/example-consumer.ts",
          ...groups.flatMap((group) => ["--group", group]),
        ],
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
