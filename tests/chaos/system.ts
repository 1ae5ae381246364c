import { join } from "node:path";
import { findRedis } from "../../local/redis-program.ts";
import { receiverVariable } from "../../settings/webhooks.ts";
import { PAYMENTS } from "../../stream/groups.ts";
import { ownPort } from "../own-port.ts";
import { type PgBouncer, startPgBouncer } from "../pgbouncer.ts";
import { type Certificate, copyCertificate } from "./certificate.ts";
import { findClockLibrary } from "./clock-library.ts";
import { EXAMPLE, MAIL, NOTICE, RECEIVER, REMINDER, WEBHOOK } from "./groups.ts";
import { createLink, type Link } from "./link.ts";
import type { LogSums } from "./log-sums.ts";
import type { ChaoticMailServer } from "./mail-server.ts";
import {
  type ReplicatedPostgres,
  type ReplicatedRedis,
  startReplicatedPostgres,
  startReplicatedRedis,
} from "./stores.ts";
import { createVictim, type Victim } from "./victim.ts";
import type { ChaoticReceiver } from "./webhook-receiver.ts";

/** All processes, and what a fault needs to act on each of them. */
export interface ChaosSystem extends AsyncDisposable {
  readonly victims: readonly Victim[];
  readonly links: readonly Link[];
  /** The stores for the run itself: these addresses follow a failover, and no fault breaks them. */
  readonly databaseUrl: string;
  readonly redisUrl: string;
  /** Processes that exited by themselves, with a code other than 0, or too late after SIGTERM. */
  readonly misconduct: readonly string[];
  /** SIGTERM to every API and consumer: each has to exit by itself. */
  retire(): Promise<void>;
  readonly postgres: ReplicatedPostgres;
  readonly redis: ReplicatedRedis;
  /** Through which all processes reach Postgres; undefined: they connect to Postgres itself. */
  readonly pooler: PgBouncer | undefined;
}

export interface ChaosSystemOptions {
  /** Data and logs. */
  readonly directory: string;
  readonly mailServer: ChaoticMailServer;
  readonly receiver: ChaoticReceiver;
  readonly logs: LogSums;
  /** Where the example's consumers record their work. */
  readonly workFile: string;
  /** Whether PgBouncer is between all processes and Postgres. */
  readonly hasPooler: boolean;
  /** Whether signups with a known address are answered as any other. */
  readonly isPrivate: boolean;
  /** Whether all processes reach the stores by TLS, and check who they are; Postgres only where there is no PgBouncer. */
  readonly isEncrypted: boolean;
}

export const STREAM_NAME = "chaos";
export const SERVICE_TOKEN = "a-token-for-chaos-alone";
/** Longer than most faults, so that what is due was looked up after them; short enough to wait for at the end. */
export const REMINDER_DELAY_MS = 15_000;

/** Longer than what was declined with everything else may take once the mail server is well. */
const GREYLIST_MS = 30_000;

/** Short times, so that a minute has room for many faults; cheap password hashes. */
const SETTINGS = {
  STREAM_NAME,
  MAIL_TLS: "none",
  MAIL_FROM: "welcome@toblug.example",
  MAIL_USERNAME: "chaos",
  MAIL_PASSWORD: "a-password-for-chaos-alone",
  PASSWORD_HASH_MEMORY_KIB: "8",
  PASSWORD_HASH_PASSES: "1",
  CLAIM_MIN_IDLE_MS: "2000",
  RETRY_DELAY_MS: "300",
  RETRY_GREYLIST_MS: String(GREYLIST_MS),
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
  { kind: "consumer", name: "consumer-1", groups: [MAIL, EXAMPLE, REMINDER, NOTICE], hasFakeClock: false },
  { kind: "consumer", name: "consumer-2", groups: [MAIL, PAYMENTS.name, WEBHOOK], hasFakeClock: false },
  { kind: "consumer", name: "consumer-3", groups: [MAIL, EXAMPLE, REMINDER, NOTICE], hasFakeClock: true },
  { kind: "consumer", name: "consumer-4", groups: [EXAMPLE, PAYMENTS.name, WEBHOOK], hasFakeClock: false },
] as const;

/** Where links lead. */
const TARGETS = ["postgres", "redis", "unencrypted redis"] as const;
type Target = (typeof TARGETS)[number];

/** More than all processes use at a time. */
const POOLER_CONNECTIONS = 60;

const root = join(import.meta.dir, "..", "..");

const withPort = (url: string, port: number | string): string => {
  const changed = new URL(url);
  changed.port = String(port);
  return changed.href;
};

const portIn = (url: string): number => Number(new URL(url).port);

/** The same by TLS, with a check of who the server is. */
const encrypted = (url: string, certificate: Certificate | undefined): string => {
  if (certificate === undefined) return url;
  const changed = new URL(url.replace(/^redis:/, "rediss:"));
  changed.searchParams.set("sslrootcert", certificate.authority);
  if (changed.protocol === "postgres:") changed.searchParams.set("sslmode", "verify-full");
  return changed.href;
};

/** Migrates through the pooler, too: this process forwards meanwhile. */
const migrate = async (env: Readonly<Record<string, string>>, databaseUrl: string): Promise<void> => {
  const migrating = Bun.spawn([process.execPath, "database/migrate.ts"], {
    cwd: root,
    env: { ...env, DATABASE_URL: databaseUrl },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const said = await new Response(migrating.stderr).text();
  if ((await migrating.exited) !== 0) throw new Error(`migrating the database failed: ${said}`);
};

/**
 * Two APIs, four consumers, Postgres, perhaps PgBouncer before it, and Redis with an append-only file; each pair is connected by
 * a link of its own.
 */
export const startChaosSystem = async (options: ChaosSystemOptions): Promise<ChaosSystem> => {
  const { directory, mailServer, receiver, logs, workFile, hasPooler, isPrivate } = options;
  const certificate = options.isEncrypted ? copyCertificate(join(directory, "certificate")) : undefined;
  const program = findRedis(join(root, ".local", "redis"), console.log);
  const clockLibrary = findClockLibrary(join(root, ".local", "libfaketime"));
  if (clockLibrary === undefined) console.log("libfaketime is unavailable: clocks do not jump");
  const links: Link[] = [];
  const ways = new Map<Target, Link[]>(TARGETS.map((target) => [target, []]));
  const move = (target: Target, port: number) => {
    for (const way of ways.get(target) ?? []) way.moveTo(port);
  };
  const moveRedis = (port: number, portOfProcesses: number) => {
    move("redis", portOfProcesses);
    move("unencrypted redis", port);
  };
  const redis = await startReplicatedRedis({ directory, certificate, program, onMove: moveRedis });
  const postgres = await startReplicatedPostgres({ directory, certificate, onMove: (port) => move("postgres", port) });
  /** A link to a store, whichever server it is at the time. */
  const linkTo = async (name: string, store: Target, port: number): Promise<Link> => {
    const made = await createLink(`${name} -> ${store}`, port);
    ways.get(store)?.push(made);
    return made;
  };
  const [toPostgres, toRedis] = await Promise.all([
    linkTo("audit", "postgres", portIn(postgres.url)),
    linkTo("audit", "unencrypted redis", portIn(redis.url)),
  ]);
  const databaseUrl = withPort(postgres.url, toPostgres.port);
  const redisUrl = withPort(redis.url, toRedis.port);
  const env = {
    PATH: process.env["PATH"] ?? "",
    ...SETTINGS,
    ...(isPrivate ? { SIGNUP_DISCLOSURE: "private" } : {}),
    [receiverVariable(RECEIVER, "URL")]: receiver.url,
    [receiverVariable(RECEIVER, "SECRET")]: receiver.secret,
    EXAMPLE_WORK_FILE: workFile,
  };

  /** Faults break it. */
  const portOf = (made: Link): string => {
    links.push(made);
    return String(made.port);
  };
  const pooler = hasPooler
    ? await startPgBouncer(
        withPort(postgres.url, portOf(await linkTo("pgbouncer", "postgres", portIn(postgres.url)))),
        {
          poolSize: POOLER_CONNECTIONS,
        },
      )
    : undefined;
  await migrate(env, pooler?.url ?? databaseUrl);
  const linkToDatabase = (name: string): Promise<Link> =>
    pooler === undefined
      ? linkTo(name, "postgres", portIn(postgres.url))
      : createLink(`${name} -> pgbouncer`, portIn(pooler.url));
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
              ? { MAIL_PORT: portOf(await createLink(`${name} -> smtp`, mailServer.port)), MAIL_SERVER: "127.0.0.1" }
              : {}),
          };
    const stores = {
      DATABASE_URL: encrypted(
        withPort(databaseUrl, portOf(await linkToDatabase(name))),
        pooler === undefined ? certificate : undefined,
      ),
      REDIS_URL: encrypted(withPort(redisUrl, portOf(await linkTo(name, "redis", redis.portOfProcesses))), certificate),
    };
    victims.push(
      createVictim({
        name,
        kind,
        groups,
        command: [
          "tests/programs.ts",
          kind === "api" ? "api" : "consumer",
          "--example",
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
    postgres,
    redis,
    pooler,
    async [Symbol.asyncDispose]() {
      for (const each of links) each.heal();
      await Promise.all(victims.map((victim) => victim.stop()));
      await Promise.all([...links, toPostgres, toRedis].map((each) => each[Symbol.asyncDispose]()));
      await pooler?.[Symbol.asyncDispose]();
      await Promise.all([redis[Symbol.asyncDispose](), postgres[Symbol.asyncDispose]()]);
    },
  };
};
