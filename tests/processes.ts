import { join } from "node:path";
import { startChild } from "../local/child.ts";
import { asDatabaseRole } from "../local/postgres.ts";
import { asRedisUser } from "../local/redis.ts";
import { randomHex } from "../observability/trace-context.ts";
import { type Keys, keysOf } from "../stream/keys.ts";
import { type TestDatabase, withTestDatabase } from "./database.ts";
import { eventually } from "./eventually.ts";
import { type MailServer, startMailServer } from "./mail-server.ts";
import { ownPort } from "./own-port.ts";
import { redisUrl } from "./pipeline.ts";
import { runFolder } from "./run-folder.ts";

const root = join(import.meta.dir, "..");

/** A process of the system, as an operator would run it: settings from the environment, signals, exit codes. */
export interface RunningProcess {
  readonly pid: number;
  readonly url: string;
  /** Lines that it has printed so far. */
  readonly lines: readonly string[];
  /** Resolves with how it ended. */
  readonly exited: Promise<string>;
  kill(signal: NodeJS.Signals): void;
}

export interface System extends AsyncDisposable {
  readonly database: TestDatabase;
  readonly mailServer: MailServer;
  readonly streamName: string;
  readonly keys: Keys;
  readonly environment: Readonly<Record<string, string>>;
  api(settings?: Readonly<Record<string, string>>): Promise<RunningProcess>;
  /** A consumer of the named groups; of all of them if none is named. */
  consumer(settings?: Readonly<Record<string, string>>, ...named: readonly string[]): Promise<RunningProcess>;
  /** Kills the consumers that were started, so that the next test of the same system starts with none. */
  endConsumers(): Promise<void>;
}

export interface SystemOptions {
  readonly mailServer?: MailServer;
  readonly redisUrl?: string;
  /** The tree whose sources run: what `tests/programs.ts` has of this one if not given. */
  readonly tree?: string;
  /** Whether the example's group is among the others. */
  readonly withExample?: boolean;
  /** For all of its processes. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** What a system's processes are started by; arguments may follow. */
interface Programs {
  readonly api: readonly [string, ...string[]];
  readonly consumer: readonly [string, ...string[]];
}

const programsOf = ({ tree, withExample = false }: SystemOptions): Programs => {
  if (tree !== undefined) return { api: ["api/main.ts"], consumer: ["consumers/main.ts"] };
  const example = withExample ? ["--example"] : [];
  const folder = runFolder();
  const file = folder === undefined ? "tests/programs.ts" : join(folder, "programs.js");
  return { api: [file, "api", ...example], consumer: [file, "consumer", ...example] };
};

/** What a person would set, with the times shortened and hashing made cheap. */
const settingsFor = (database: TestDatabase, mailServer: MailServer, streamName: string, redis: string) => ({
  PATH: process.env["PATH"] ?? "",
  // Else each process would translate the larger libraries anew.
  BUN_RUNTIME_TRANSPILER_CACHE_PATH: join(root, ".local", "transpiled"),
  DATABASE_URL: database.url,
  REDIS_URL: redis,
  STREAM_NAME: streamName,
  PUBLIC_URL: "https://signup.example",
  MAIL_SERVER: "127.0.0.1",
  MAIL_PORT: String(mailServer.port),
  MAIL_TLS: "none",
  MAIL_FROM: "welcome@toblug.example",
  SERVICE_TOKEN,
  PASSWORD_HASH_MEMORY_KIB: "8",
  PASSWORD_HASH_PASSES: "1",
  CLAIM_MIN_IDLE_MS: "1000",
  RETRY_DELAY_MS: "100",
  RECONCILE_AFTER_MS: "2000",
});

/** Of each system, unless its settings say otherwise. */
export const SERVICE_TOKEN = "a-token-for-tests-alone";

/** With the rights of a kind of process, and no others. */
const asPart = (part: "api" | "consumer", environment: Readonly<Record<string, string>>): Record<string, string> => {
  const { DATABASE_URL: database = "", REDIS_URL: redis = "" } = environment;
  return {
    ...environment,
    DATABASE_URL: asDatabaseRole(database, `signup_${part}`),
    REDIS_URL: asRedisUser(redis, part),
  };
};

const isReady = async (url: string): Promise<boolean> =>
  (await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(1_000) }).catch(() => undefined))?.ok === true;

/** A system of a test's own: its database, its stream, its mail server; processes are started as they are asked for. */
export const aSystem = async (options: SystemOptions = {}): Promise<System> => {
  const programs = programsOf(options);
  const database = await withTestDatabase();
  const mailServer = options.mailServer ?? (await startMailServer());
  const streamName = `test-${randomHex(6)}`;
  const environment = {
    ...settingsFor(database, mailServer, streamName, options.redisUrl ?? redisUrl()),
    ...options.settings,
  };
  const running: RunningProcess[] = [];
  const consumers: RunningProcess[] = [];

  const start = async (
    [file, ...args]: readonly [string, ...string[]],
    port: number,
    env: Record<string, string>,
  ): Promise<RunningProcess> => {
    const lines: string[] = [];
    const child = startChild({
      command: [process.execPath, file, ...args],
      cwd: options.tree ?? root,
      env,
      onLine: (line) => lines.push(line),
      deathSignal: "TERM",
    });
    let ended: string | undefined;
    const exited = child.exited.then((how) => {
      ended = how;
      return how;
    });
    const started: RunningProcess = {
      pid: child.pid,
      url: `http://127.0.0.1:${port}`,
      lines,
      exited,
      kill: (signal) => {
        if (ended === undefined) process.kill(child.pid, signal);
      },
    };
    running.push(started);
    await eventually(() => {
      if (ended !== undefined) throw new Error(`${file} ended: ${ended}\n${lines.join("\n")}`);
      return isReady(started.url);
    });
    return started;
  };

  return {
    database,
    mailServer,
    streamName,
    keys: keysOf(streamName),
    environment,
    async api(settings = {}) {
      const port = await ownPort();
      return start(programs.api, port, asPart("api", { ...environment, PORT: String(port), ...settings }));
    },
    async consumer(settings = {}, ...named) {
      const port = await ownPort();
      const command = [...programs.consumer, ...named.flatMap((name) => ["--group", name])] as const;
      const env = asPart("consumer", { ...environment, CONSUMER_HEALTH_PORT: String(port), ...settings });
      const consumer = await start(command, port, env);
      consumers.push(consumer);
      return consumer;
    },
    async endConsumers() {
      for (const each of consumers) each.kill("SIGKILL");
      await Promise.all(consumers.splice(0).map((each) => each.exited));
    },
    async [Symbol.asyncDispose]() {
      for (const each of running) each.kill("SIGKILL");
      await Promise.all(running.map((each) => each.exited));
      await mailServer.close();
      await database.drop();
    },
  };
};

export interface SignedUp {
  readonly status: number;
  readonly eventId: string;
}

let people = 0;

/** Signs somebody up over HTTP. */
export const signUpAt = async (
  api: RunningProcess,
  parts: Readonly<Record<string, unknown>> = {},
): Promise<SignedUp> => {
  people += 1;
  const name = `person-${people}-${randomHex(4)}`;
  const response = await fetch(`${api.url}/api/v1/user/`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({
      user_name: name,
      email: `${name}@inbox.example`,
      password: "correct horse battery staple",
      ...parts,
    }),
  });
  const body: { readonly welcome_email?: { readonly event_id: string } } = await response.json();
  return { status: response.status, eventId: body.welcome_email?.event_id ?? "" };
};

export interface EventAnswer {
  readonly state: string;
  readonly attempts: number;
  readonly uncertain: number;
  readonly timeline: readonly { readonly state: string; readonly by?: string }[];
}

/** The status of an event by the API, as whoever holds the service token sees it. */
export const eventAt = async (api: RunningProcess, eventId: string): Promise<EventAnswer> =>
  (
    await fetch(`${api.url}/api/v1/events/${eventId}`, { headers: { Authorization: `Bearer ${SERVICE_TOKEN}` } })
  ).json();
