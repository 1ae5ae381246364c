import type { Redis } from "ioredis";
import { untilReady } from "./connection.ts";
import { loginRefusalOf } from "./refusals.ts";
import { redisTimeMs } from "./watermark.ts";

/** Redis answers, and refuses the login. The code is that of its reply: `WRONGPASS`. */
export class LoginRefused extends Error {
  override readonly name = "LoginRefused";
  readonly code: string;
  constructor(code: string, options: ErrorOptions) {
    super(`Redis refuses the login (${code})`, options);
    this.code = code;
  }
}

/** A reconnect after a refused write takes some ms: in it Redis is not away. */
const RECONNECTED_WITHIN_MS = 300;

/**
 * Asks a connection's Redis for a sign of life. A login that is refused ends the connection before it is ready, so that no command meets the reply:
 * the connection's errors tell of it.
 *
 * @throws {LoginRefused} from the first attempt to connect that is refused so, until one comes about or fails otherwise
 */
export const createRedisPing = (redis: Redis): (() => Promise<void>) => {
  let refused: LoginRefused | undefined;
  redis.on("error", (cause: Error) => {
    const code = loginRefusalOf(cause.message);
    refused = code === undefined ? undefined : new LoginRefused(code, { cause });
  });
  redis.on("ready", () => {
    refused = undefined;
  });
  return async () => {
    if (!(await untilReady(redis, RECONNECTED_WITHIN_MS)) && refused !== undefined) throw refused;
    await redisTimeMs(redis);
  };
};
