import { type CommonRedisOptions, Redis, type RedisOptions } from "ioredis";
import { BadSettings } from "../settings/load.ts";
import { type MovingRedis, parseRedisUrl } from "../settings/redis-url.ts";
import { takeAuthorities } from "../settings/tls.ts";
import { askNode, askSentinel, type FindPrimary, mostNamed } from "./find-primary.ts";
import { keysOf } from "./keys.ts";
import { primaryConnector } from "./primary-connector.ts";

/** Where a client connects to. */
export interface RedisAddress {
  readonly url: string;
  /** Whose keys it uses: a cluster's servers have some of the keys each. */
  readonly streamName?: string | undefined;
}

/**
 * With `rediss` instead of `redis` a connection is encrypted, and the server's certificate and its name are checked;
 * `?sslrootcert=FILE` names the authorities.
 *
 * @throws {BadSettings}
 */
const tlsOf = (url: URL | string, isEncrypted: boolean) => {
  const { url: rest, ca, isNamed } = takeAuthorities("REDIS_URL", String(url));
  if (isNamed && !isEncrypted) {
    throw new BadSettings(["REDIS_URL: sslrootcert needs rediss://, for redis:// is not encrypted"]);
  }
  return { rest, isNamed, tls: { rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }) } };
};

const findingPrimary = (
  redis: MovingRedis,
  streamName: string | undefined,
  tls: RedisOptions["tls"] | undefined,
): FindPrimary => {
  const encrypted = tls === undefined ? {} : { tls };
  if (redis.kind === "sentinel") {
    const { seeds, sentinelLogin, master } = redis;
    const options = { ...sentinelLogin, ...encrypted };
    return () => mostNamed(seeds.map((of) => ({ of, answer: askSentinel(of, options, master) })));
  }
  if (streamName === undefined) throw new Error("a client of a cluster needs the name of its stream");
  const { seeds, login } = redis;
  const { events } = keysOf(streamName);
  const options = { ...login, ...encrypted };
  return () => mostNamed(seeds.map((of) => ({ of, answer: askNode(of, options, events) })));
};

/**
 * Opens a client by the URL of a server, of sentinels or of a cluster. `reconnectDelayMs`: between attempts to connect, and to find
 * the primary.
 *
 * @throws {BadSettings}
 */
export const openRedis = (
  { url: text, streamName }: RedisAddress,
  reconnectDelayMs: (attempt: number) => number,
  options: Omit<CommonRedisOptions, "replyMapping">,
): Redis => {
  const all = { ...options, retryStrategy: reconnectDelayMs };
  const redis = parseRedisUrl(text);
  if (redis === undefined || redis.kind === "server") {
    const { rest, isNamed, tls } = tlsOf(text, text.startsWith("rediss:"));
    return isNamed ? new Redis(rest.href, { ...all, tls }) : new Redis(text, all);
  }
  const { first, isEncrypted, login } = redis;
  const { tls: checked } = tlsOf(first, isEncrypted);
  const tls = isEncrypted ? checked : undefined;
  return new Redis({
    ...all,
    ...login,
    ...(tls === undefined ? {} : { tls }),
    db: redis.kind === "sentinel" ? redis.database : 0,
    Connector: primaryConnector(findingPrimary(redis, streamName, tls), tls, reconnectDelayMs),
  });
};
