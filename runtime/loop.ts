import type { Logger } from "../observability/logger.ts";
import { backoffMs } from "./backoff.ts";

/**
 * A part of the system that runs turn after turn until it is stopped. An error never ends it: it logs the error (once as
 * long as it stays the same), waits with jitter and continues. Aborting its signal ends it after the current turn.
 */
export interface Loop extends AsyncDisposable {
  readonly name: string;
  /** Settles, never rejects, when the loop has ended. */
  readonly done: Promise<void>;
  /** Ends the loop, and waits for the current turn. */
  stop(): Promise<void>;
  /** Whether it has finished a turn within `staleAfterMs`: liveness means progress. */
  isLive(): boolean;
  /** The error of its last turn; undefined when that turn succeeded. */
  fault(): string | undefined;
}

export interface LoopOptions {
  readonly name: string;
  readonly log: Logger;
  /** Pause after a turn that returns "idle", in ms. After "again" the next turn follows at once. */
  readonly everyMs: number;
  /** Longest time without a finished turn that counts as live, in ms; default: `everyMs` and 30 s. */
  readonly staleAfterMs?: number;
  /**
   * One turn. The signal is aborted when the loop must end: blocked reads and waits must honour it. A turn that retries
   * until a store is available again calls `progress` after each attempt.
   */
  readonly turn: (signal: AbortSignal, progress: () => void) => Promise<"again" | "idle">;
  /** Ends the loop, as `stop` does. */
  readonly signal?: AbortSignal;
}

const FAILURE_PAUSE_MS = 500;
const MAX_FAILURE_PAUSE_MS = 5_000;

/** Resolves after `ms`, or as soon as the signal is aborted. Never rejects. */
export const pause = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal?.aborted === true) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener("abort", end);
  });

/** Starts a loop. */
export const startLoop = (options: LoopOptions): Loop => {
  const { name, log, everyMs, turn } = options;
  const staleAfterMs = options.staleAfterMs ?? everyMs + 30_000;
  const controller = new AbortController();
  const stopWithParent = () => controller.abort();
  options.signal?.addEventListener("abort", stopWithParent);
  if (options.signal?.aborted === true) controller.abort();

  let lastTurnAt = performance.now();
  let failures = 0;
  let reported = "";

  const progress = () => {
    lastTurnAt = performance.now();
  };

  const failed = (error: unknown): number => {
    failures += 1;
    const message = error instanceof Error ? error.message : String(error);
    if (message !== reported) {
      reported = message;
      log.error({ loop: name, error }, `${name} failed; retrying`);
    }
    return backoffMs(failures, FAILURE_PAUSE_MS, MAX_FAILURE_PAUSE_MS, Math.random);
  };

  const recovered = () => {
    if (failures > 0) log.info({ loop: name, failures }, `${name} succeeded after ${failures} failures`);
    failures = 0;
    reported = "";
  };

  const run = async () => {
    while (!controller.signal.aborted) {
      let waitMs = everyMs;
      try {
        if ((await turn(controller.signal, progress)) === "again") waitMs = 0;
        recovered();
      } catch (error) {
        if (controller.signal.aborted) break;
        waitMs = failed(error);
      }
      // A failed turn is progress, too: the store is unavailable, the loop is alive.
      progress();
      if (waitMs > 0) await pause(waitMs, controller.signal);
    }
    options.signal?.removeEventListener("abort", stopWithParent);
  };
  const done = run();

  const stop = () => {
    controller.abort();
    return done;
  };
  return {
    name,
    done,
    stop,
    fault: () => (reported === "" ? undefined : reported),
    isLive: () => controller.signal.aborted || performance.now() - lastTurnAt <= staleAfterMs,
    [Symbol.asyncDispose]: stop,
  };
};

/** The faults of several loops, by name. */
export const faultsOf = (loops: readonly Loop[]): Record<string, string> =>
  Object.fromEntries(loops.flatMap((loop) => (loop.fault() === undefined ? [] : [[loop.name, loop.fault() ?? ""]])));
