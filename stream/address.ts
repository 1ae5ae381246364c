import type { RedisOptions } from "ioredis";
import { BadSettings } from "../settings/load.ts";
import { takeAuthorities } from "../settings/tls.ts";

/** An address of Redis as the client takes it. */
export interface RedisAddress {
  readonly url: string;
  readonly options: Pick<RedisOptions, "tls">;
}

/**
 * `rediss://` encrypts, and checks the server's certificate and its name; `?sslrootcert=FILE` names the authorities.
 *
 * @throws {BadSettings}
 */
export const redisAddress = (text: string): RedisAddress => {
  const { url, ca, isNamed } = takeAuthorities("REDIS_URL", text);
  if (!isNamed) return { url: text, options: {} };
  if (url.protocol !== "rediss:") {
    throw new BadSettings(["REDIS_URL: sslrootcert needs rediss://, for redis:// is not encrypted"]);
  }
  return { url: url.href, options: { tls: { rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }) } } };
};
