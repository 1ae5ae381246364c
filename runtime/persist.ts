import type { Logger } from "../observability/logger.ts";
import { backoffMs } from "./backoff.ts";
import { pause } from "./loop.ts";

/** The process gave up before the store came back; whatever was to be written is for the next owner to find. */
export class GaveUp extends Error {
  override readonly name = "GaveUp";
}

export interface PersistOptions {
  /** What is being done, for the log. */
  readonly what: string;
  readonly log: Logger;
  /** Aborted: stop trying. */
  readonly signal: AbortSignal;
  /** Called after each failure. */
  readonly onFailure?: (error: unknown) => void | Promise<void>;
}

const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 1_000;

/**
 * Does something again and again until it succeeds: a store that is away comes back. Logs the first failure, and the
 * success after failures.
 *
 * @throws {GaveUp} when the signal is aborted
 */
export const persist = async <Result>(action: () => Promise<Result>, options: PersistOptions): Promise<Result> => {
  const { what, log, signal, onFailure } = options;
  for (let failures = 0; ; failures += 1) {
    if (signal.aborted) throw new GaveUp(`${what} was given up`);
    try {
      const result = await action();
      if (failures > 0) log.info({ failures }, `${what} succeeded after ${failures} failures`);
      return result;
    } catch (error) {
      if (failures === 0) log.warn({ error }, `${what} failed; trying until it succeeds`);
      await onFailure?.(error);
      await pause(backoffMs(failures + 1, FIRST_PAUSE_MS, MAX_PAUSE_MS, Math.random), signal);
    }
  }
};
