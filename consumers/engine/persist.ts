import type { Logger } from "../../observability/logger.ts";
import { pause } from "../../runtime/loop.ts";

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
  /** Called after each failed try. */
  readonly onFailure?: (error: unknown) => void | Promise<void>;
}

const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 1_000;

/**
 * Does something again and again until it works: a store that is away comes back, and the entry is ours meanwhile (the
 * heartbeat renews it). Says so once, and once more when it worked.
 *
 * @throws {GaveUp} when the signal is aborted
 */
export const persist = async <Result>(action: () => Promise<Result>, options: PersistOptions): Promise<Result> => {
  const { what, log, signal, onFailure } = options;
  for (let failures = 0; ; failures += 1) {
    if (signal.aborted) throw new GaveUp(`${what} was given up`);
    try {
      const result = await action();
      if (failures > 0) log.info({ failures }, `${what} worked at last`);
      return result;
    } catch (error) {
      if (failures === 0) log.warn({ error }, `${what} failed; trying until it works`);
      await onFailure?.(error);
      const full = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures, 10));
      await pause(full / 2 + (Math.random() * full) / 2, signal);
    }
  }
};
