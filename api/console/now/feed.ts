import type { Logger } from "../../../observability/logger.ts";
import { pause } from "../../../runtime/loop.ts";

/** What is read for all who look at it at once. */
export interface Feed<Reading> {
  /** The last reading, if it is still fresh; else a new one, which all who ask meanwhile get. */
  latest(): Promise<Reading>;
  /** Calls `onReading` at each reading from now on; returns a function that ends it. */
  follow(onReading: (reading: Reading) => void): () => void;
}

export interface FeedDeps<Reading> {
  readonly read: () => Promise<Reading>;
  /** Between two readings, in ms; longer if a reading takes long. */
  readonly everyMs: number;
  readonly log: Logger;
  /** Monotonic, ms. */
  readonly monotonicMs: () => number;
  readonly stopping: AbortSignal;
}

/** A reading may take a fifth of the time: the stores have other work. */
const REST = 4;

/**
 * Reads while somebody follows, at intervals, and never twice at a time: however many look, the stores are asked as if it were
 * one.
 */
export const createFeed = <Reading>(deps: FeedDeps<Reading>): Feed<Reading> => {
  const { read, everyMs, log, monotonicMs, stopping } = deps;
  const followers = new Set<(reading: Reading) => void>();
  let known: { readonly reading: Reading; readonly at: number } | undefined;
  let current: Promise<Reading> | undefined;
  let restMs = everyMs;
  let isTurning = false;

  const readOnce = async (): Promise<Reading> => {
    const began = monotonicMs();
    const reading = await read();
    known = { reading, at: monotonicMs() };
    restMs = Math.max(everyMs, REST * (known.at - began));
    for (const onReading of followers) onReading(reading);
    return reading;
  };

  const ask = (): Promise<Reading> => {
    current ??= readOnce().finally(() => {
      current = undefined;
    });
    return current;
  };

  const turn = async (): Promise<void> => {
    while (followers.size > 0 && !stopping.aborted) {
      await pause(restMs, stopping);
      if (followers.size === 0 || stopping.aborted) break;
      await ask().catch((error: unknown) => log.warn({ error: String(error) }, "the console cannot read the state"));
    }
    isTurning = false;
  };

  return {
    latest: async () => (known !== undefined && monotonicMs() - known.at < restMs ? known.reading : ask()),
    follow(onReading) {
      followers.add(onReading);
      if (!isTurning) {
        isTurning = true;
        void turn();
      }
      return () => void followers.delete(onReading);
    },
  };
};
