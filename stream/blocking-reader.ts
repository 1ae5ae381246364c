import type { Redis } from "ioredis";
import { type Entry, entriesOfRead } from "./entries.ts";

export interface BlockingReaderOptions {
  /** Opens a connection of its own for blocking reads. */
  readonly connect: () => Redis;
  /** Another connection, for CLIENT UNBLOCK, which ends a blocked read. */
  readonly commands: Redis;
  readonly group: string;
  readonly consumer: string;
}

/**
 * XREADGROUP ... BLOCK on a connection of its own. A blocking read can hang for ever on a connection that died silently
 * (redis/ioredis #610), so an overdue reply closes the connection and opens a new one. Entries of a lost reply stay pending
 * for this consumer, and its own claim finds them.
 */
export interface BlockingReader {
  /**
   * Waits up to `blockMs` for entries on any of the streams; `count` is per stream. An aborted signal ends the wait and
   * still returns the entries that were read.
   *
   * @throws the error of Redis, or of a silent connection
   */
  read(streams: readonly string[], count: number, blockMs: number, signal: AbortSignal): Promise<Entry[]>;
  close(): void;
}

/** Time past `blockMs` after which a connection without a reply counts as dead, in ms. */
const GRACE_MS = 3_000;
const UNBLOCK_EVERY_MS = 50;

export const createBlockingReader = (options: BlockingReaderOptions): BlockingReader => {
  const { connect, commands, group, consumer } = options;
  let redis = connect();

  const replace = () => {
    redis.disconnect();
    redis = connect();
  };

  return {
    async read(streams, count, blockMs, signal) {
      const connection = redis;
      const { promise: overdue, reject } = Promise.withResolvers<never>();
      const timer = setTimeout(() => {
        replace();
        reject(new Error(`the blocking read was silent for ${blockMs + GRACE_MS} ms; reconnecting`));
      }, blockMs + GRACE_MS);
      let unblocking: ReturnType<typeof setInterval> | undefined;
      let onAbort = () => {};
      try {
        const clientId = await Promise.race([connection.client("ID"), overdue]);
        if (signal.aborted) return [];
        const unblock = () => void commands.client("UNBLOCK", clientId).catch(() => {});
        onAbort = () => {
          unblock();
          // Repeated: the first may have arrived before the read was blocked.
          unblocking = setInterval(unblock, UNBLOCK_EVERY_MS);
        };
        signal.addEventListener("abort", onAbort);
        const ids = streams.map(() => ">");
        const answer = connection.xreadgroup(
          ...(["GROUP", group, consumer, "COUNT", count, "BLOCK", blockMs, "STREAMS", ...streams, ...ids] as const),
        );
        return entriesOfRead(await Promise.race([answer, overdue]));
      } finally {
        clearTimeout(timer);
        clearInterval(unblocking);
        signal.removeEventListener("abort", onAbort);
      }
    },
    close: () => redis.disconnect(),
  };
};
