import type { Redis } from "ioredis";
import { untilReady } from "./connection.ts";
import type { Keys } from "./keys.ts";
import { loginRefusalOf } from "./refusals.ts";
import { findWriteRefusal, meetWriteRefusal, type WritesRefusedFor } from "./scripts/probe-writes.ts";

/** Redis answers, and refuses the login. The code is that of its reply: `WRONGPASS`. */
export class LoginRefused extends Error {
  override readonly name = "LoginRefused";
  readonly code: string;
  constructor(code: string, options: ErrorOptions) {
    super(`Redis refuses the login (${code})`, options);
    this.code = code;
  }
}

/** Redis answers, and refuses writes. The code is that of its reply: `MISCONF`. */
export class WritesRefused extends Error {
  override readonly name = "WritesRefused";
  readonly code: WritesRefusedFor;
  constructor(code: WritesRefusedFor) {
    super(`Redis refuses writes (${code})`);
    this.code = code;
  }
}

/** A reconnect after a refused write takes some ms: in it Redis is not away. */
const RECONNECTED_WITHIN_MS = 300;

/**
 * Asks a connection's Redis for a sign of life, and whether it takes writes: else who has nothing to write would not find out. A login that is refused ends the connection before it is ready, so that no command meets the reply:
 * the connection's errors tell of it.
 *
 * @throws {WritesRefused}
 * @throws {LoginRefused} from the first attempt to connect that is refused so, until one comes about or fails otherwise
 */
export const createRedisPing = (redis: Redis, keys: Keys): (() => Promise<void>) => {
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
    const code = await findWriteRefusal(redis, keys);
    if (code === undefined) return;
    await meetWriteRefusal(redis, keys);
    throw new WritesRefused(code);
  };
};
