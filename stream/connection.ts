import { Redis, type RedisOptions } from "ioredis";
import type { Logger } from "../observability/logger.ts";
import { backoffMs } from "../runtime/backoff.ts";

export interface RedisConnectionOptions {
  readonly url: string;
  /** Shown by CLIENT LIST. */
  readonly name: string;
  readonly log: Logger;
  /** A command that takes longer is given up, in ms. Its effect is then unknown. */
  readonly commandTimeoutMs: number;
}

/** Reconnects for ever, soon, and not in step with others. */
const reconnectDelayMs = (attempt: number): number => backoffMs(attempt, 50, 1_000, Math.random);

/**
 * What every connection has in common: it rejects rather than waits. The defaults of ioredis send an XADD again whose
 * reply was lost (two entries), and queue commands while Redis is away (a request that hangs, and an XADD that is
 * executed after its caller gave up). A rejection means "unknown", and every caller has an answer to that.
 */
const commonOptions = (name: string) =>
  ({
    connectionName: name,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    connectTimeout: 2_000,
    keepAlive: 5_000,
    retryStrategy: reconnectDelayMs,
    disableClientInfo: true,
  }) satisfies RedisOptions;

const logState = (redis: Redis, name: string, log: Logger): void => {
  let reported = "";
  let wasAway = false;
  redis.on("error", (error: Error) => {
    // One line per kind of trouble, not one per attempt to reconnect.
    if (error.message === reported) return;
    reported = error.message;
    wasAway = true;
    log.warn({ connection: name, error: error.message }, "Redis is away; reconnecting");
  });
  redis.on("close", () => {
    wasAway = true;
  });
  redis.on("ready", () => {
    if (wasAway) log.info({ connection: name }, "Redis is back");
    wasAway = false;
    reported = "";
  });
};

/** A connection on which nothing comes back for so long, though an answer is due, is torn down and built anew. */
const MIN_SOCKET_TIMEOUT_MS = 2_000;
/** The longest blocking read, and some. */
const BLOCKING_SOCKET_TIMEOUT_MS = 6_000;

/** A connection for commands that answer at once. Commands of one turn of the event loop travel in one pipeline. */
export const openCommandConnection = ({ url, name, log, commandTimeoutMs }: RedisConnectionOptions): Redis => {
  const redis = new Redis(url, {
    ...commonOptions(name),
    commandTimeout: commandTimeoutMs,
    socketTimeout: Math.max(MIN_SOCKET_TIMEOUT_MS, commandTimeoutMs),
    enableAutoPipelining: true,
  });
  logState(redis, name, log);
  return redis;
};

/** A connection for one blocking read at a time. It has no time limit of its own: its reader watches it. */
export const openBlockingConnection = ({ url, name, log }: Omit<RedisConnectionOptions, "commandTimeoutMs">): Redis => {
  const redis = new Redis(url, { ...commonOptions(name), socketTimeout: BLOCKING_SOCKET_TIMEOUT_MS });
  logState(redis, name, log);
  return redis;
};

/** Resolves when the connection can be used, or after `timeoutMs`, or on abort. Never rejects. */
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

/** A stream or a group that is gone: after a flush, a failover or somebody's DEL. It is to be made again. */
export const isMissingGroup = (error: unknown): boolean => ["NOGROUP", "UNBLOCKED"].includes(redisErrorCode(error));
