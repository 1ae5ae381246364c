import type { Redis } from "ioredis";
import { pause } from "../runtime/loop.ts";
import { untilReady } from "./connection.ts";
import { refusalOf } from "./refusals.ts";

const AGAIN_AFTER_MS = 50;

const isRefusal = (error: unknown): boolean => error instanceof Error && refusalOf(error.message) !== undefined;

/**
 * Reads, and reads again until `withinMs` have passed if the server refuses because it is not, or not any more, the one to ask: a
 * connection that was idle at a failover learns of it by its first command. The refusal ends in a reconnect to whoever is primary now.
 * For reading only: what is read again may have been read before.
 *
 * @throws what the last reading ended in
 */
export const readAgainIfRefused = async <Answer>(
  redis: Redis,
  read: () => Promise<Answer>,
  withinMs: number,
): Promise<Answer> => {
  const until = performance.now() + withinMs;
  let wasRefused = false;
  for (;;) {
    try {
      return await read();
    } catch (error) {
      // Of the reconnect the next readings may see that there is no connection.
      wasRefused ||= isRefusal(error);
      if (!wasRefused || performance.now() >= until) throw error;
    }
    await pause(AGAIN_AFTER_MS, AbortSignal.timeout(withinMs));
    await untilReady(redis, Math.max(0, until - performance.now()));
  }
};
