import type { Logger } from "../observability/logger.ts";
import { backoffMs } from "./backoff.ts";
import { pause } from "./loop.ts";

/** The process stopped before the store was available again. Nothing was written; the next owner repeats the action. */
export class GaveUp extends Error {
  override readonly name = "GaveUp";
}

export interface PersistOptions {
  /** Name of the action, for the log. */
  readonly what: string;
  readonly log: Logger;
  /** Aborting it ends the retries. */
  readonly signal: AbortSignal;
  /** Called after each failure. */
  readonly onFailure?: (error: unknown) => void | Promise<void>;
}

const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 1_000;

/**
 * Retries an action until it succeeds, with a delay of at most 1 s between attempts. Logs the first failure, and the success
 * after failures.
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
      if (failures === 0) log.warn({ error }, `${what} failed; retrying until it succeeds`);
      await onFailure?.(error);
      await pause(backoffMs(failures + 1, FIRST_PAUSE_MS, MAX_PAUSE_MS, Math.random), signal);
    }
  }
};
