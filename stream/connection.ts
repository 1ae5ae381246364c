import type { Redis, RedisOptions } from "ioredis";
import type { Logger } from "../observability/logger.ts";
import { backoffMs } from "../runtime/backoff.ts";
import { openRedis, type RedisAddress } from "./address.ts";
import { createReconnectPolicy, type ReconnectPolicy, refusalOf } from "./refusals.ts";
import { addHasSubscribers } from "./tracing-channels.ts";

export interface RedisConnectionOptions extends RedisAddress {
  /** Shown by CLIENT LIST. */
  readonly name: string;
  readonly log: Pick<Logger, "info" | "warn">;
  /** Time limit of a command in ms. After it the effect is unknown. */
  readonly commandTimeoutMs: number;
}

/** Reconnects without end, within 1 s, with jitter. */
const reconnectDelayMs = (attempt: number): number => backoffMs(attempt, 50, 1_000, Math.random);

/**
 * Options of every connection: a command rejects rather than waits. By default ioredis repeats an XADD whose reply was lost
 * (two entries), and queues commands while Redis is unavailable (a request that hangs, and an XADD that runs after its
 * caller gave up). A rejection means that the effect is unknown; every caller handles that.
 *
 * A server that refuses writes, because it was demoted for example, keeps its connections open: so a refusal closes them, and the
 * address, or who is primary, is looked up again. ioredis asks for each error reply, those in pipelines and of scripts included.
 *
 * Who subscribes does so again after each connect: ioredis would as well, and if the connection broke just then, nobody would handle the
 * error, which ends the process.
 */
const commonOptions = (name: string, policy: ReconnectPolicy) =>
  ({
    connectionName: name,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    connectTimeout: 2_000,
    keepAlive: 5_000,
    reconnectOnError: (error) => policy.shouldReconnect(error.message),
    disableClientInfo: true,
  }) satisfies RedisOptions;

const newPolicy = () => createReconnectPolicy({ now: () => performance.now(), random: Math.random });

const logState = (redis: Redis, name: string, policy: ReconnectPolicy, log: RedisConnectionOptions["log"]): void => {
  let reported = "";
  let wasAway = false;
  redis.on("error", (error: Error) => {
    // One line per kind of error, not one per attempt to reconnect.
    if (error.message === reported) return;
    reported = error.message;
    wasAway = true;
    log.warn({ connection: name, error: error.message }, "Redis is unavailable; reconnecting");
  });
  redis.on("close", () => {
    wasAway = true;
  });
  redis.on("ready", () => {
    // While the server refuses commands, each reconnect succeeds, and says nothing.
    if (wasAway && !policy.isRefused()) log.info({ connection: name }, "Redis is available again");
    wasAway = false;
    reported = "";
  });
};

/** Longest time from a connection to a server that is ready: one that loads its data may not be the one to write to. */
const READY_WITHIN_MS = 3_000;

const lookUpAgainIfNotReady = (redis: Redis, name: string, log: RedisConnectionOptions["log"]): void => {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isReported = false;
  redis.on("connect", () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (!isReported)
        log.warn({ connection: name }, "Redis is connected and not ready: it loads its data; reconnecting");
      isReported = true;
      redis.disconnect(true);
    }, READY_WITHIN_MS);
  });
  redis.on("ready", () => {
    isReported = false;
  });
  for (const event of ["ready", "close", "end"]) redis.on(event, () => clearTimeout(timer));
};

/** The SELECT by which ioredis begins was refused: `ERR DB index is out of range`, `NOPERM`. */
const isOfDatabase = (error: Error): boolean =>
  isRefusedReply(error) &&
  "command" in error &&
  typeof error.command === "object" &&
  error.command !== null &&
  "name" in error.command &&
  error.command.name === "select";

/**
 * Where Redis refuses the database of the URL, ioredis says so and goes on with database 0, where another system's keys may be. So the connection ends
 * before it is ready.
 */
const keepToDatabase = (redis: Redis): void => {
  redis.on("error", (error: Error) => {
    if (isOfDatabase(error)) redis.disconnect(true);
  });
};

const opened = (redis: Redis, name: string, policy: ReconnectPolicy, log: RedisConnectionOptions["log"]): Redis => {
  addHasSubscribers();
  // Each group listens to it, and a consumer may have many.
  redis.setMaxListeners(0);
  logState(redis, name, policy, log);
  keepToDatabase(redis);
  lookUpAgainIfNotReady(redis, name, log);
  return redis;
};

/** A connection without a reply for this long, while one is due, is closed and opened again. */
const MIN_SOCKET_TIMEOUT_MS = 2_000;
/** Longer than the longest blocking read. */
const BLOCKING_SOCKET_TIMEOUT_MS = 6_000;

/** A connection for commands that do not block. Commands of one turn of the event loop share a pipeline. */
export const openCommandConnection = (options: RedisConnectionOptions): Redis => {
  const { name, log, commandTimeoutMs } = options;
  const policy = newPolicy();
  const redis = openRedis(options, reconnectDelayMs, {
    ...commonOptions(name, policy),
    commandTimeout: commandTimeoutMs,
    socketTimeout: Math.max(MIN_SOCKET_TIMEOUT_MS, commandTimeoutMs),
    enableAutoPipelining: true,
  });
  return opened(redis, name, policy, log);
};

type UntimedOptions = Omit<RedisConnectionOptions, "commandTimeoutMs">;

/** A connection whose commands have no time limit: they end with their reply, or with the connection. */
const openUntimed = (options: UntimedOptions, socketTimeout: number): Redis => {
  const { name, log } = options;
  const policy = newPolicy();
  const redis = openRedis(options, reconnectDelayMs, { ...commonOptions(name, policy), socketTimeout });
  return opened(redis, name, policy, log);
};

/**
 * A connection for commands that nobody waits for: without a time limit, for one that is given up is still in line, and what is in line is
 * to be counted. It is closed once it has been silent for 2 s.
 */
export const openSendingConnection = (options: UntimedOptions): Redis => openUntimed(options, MIN_SOCKET_TIMEOUT_MS);

/** A connection for one blocking read at a time. Its commands have no time limit: its reader has one. */
export const openBlockingConnection = (options: UntimedOptions): Redis =>
  openUntimed(options, BLOCKING_SOCKET_TIMEOUT_MS);

/** Resolves when the connection is ready, after `timeoutMs`, or on abort. Never rejects. */
export const untilReady = (redis: Redis, timeoutMs: number): Promise<boolean> =>
  new Promise((resolve) => {
    if (redis.status === "ready") return resolve(true);
    const end = () => {
      clearTimeout(timer);
      redis.off("ready", end);
      resolve(redis.status === "ready");
    };
    const timer = setTimeout(end, timeoutMs);
    redis.on("ready", end);
  });

/** The first word of a Redis error (`NOGROUP`, `OOM`, `READONLY`, ...), or the system's or driver's code. */
export const redisErrorCode = (error: unknown): string => {
  if (!(error instanceof Error)) return "UNKNOWN";
  const word = /^[A-Z]{2,}\b/.exec(error.message)?.[0];
  if (word !== undefined) return word;
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
};

/** Whether Redis itself refused the command, which then had no effect; any other error leaves it unknown. */
export const isRefusedReply = (error: unknown): boolean => error instanceof Error && error.name === "ReplyError";

/**
 * Whether a stream or a group is missing, after a flush, a failover or a DEL: it must be created again. A read that was ended
 * because its server was demoted is no such case.
 */
export const isMissingGroup = (error: unknown): boolean =>
  error instanceof Error &&
  ["NOGROUP", "UNBLOCKED"].includes(redisErrorCode(error)) &&
  refusalOf(error.message) === undefined;
