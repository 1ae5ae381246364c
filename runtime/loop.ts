import type { Logger } from "../observability/logger.ts";
import { backoffMs } from "./backoff.ts";

/**
 * A part of the system that turns for as long as the process lives. It never ends by an error: it reports (once per kind,
 * not a thousand times), waits with jitter and goes on. Aborting its signal ends it after the turn under way.
 */
export interface Loop extends AsyncDisposable {
  readonly name: string;
  /** Settles, never rejects, when the loop has ended. */
  readonly done: Promise<void>;
  /** Ends it, and waits for the turn under way. */
  stop(): Promise<void>;
  /** Whether it has finished a turn lately. Progress, not "it is still there", is what liveness asks. */
  isLive(): boolean;
  /** What keeps it from its work now, in the failing store's words; undefined when it works. */
  fault(): string | undefined;
}

export interface LoopOptions {
  readonly name: string;
  readonly log: Logger;
  /** Pause after a turn that found nothing to do, in ms. A turn that returns "again" is followed at once. */
  readonly everyMs: number;
  /** Longest time without a finished turn that still counts as live, in ms; default 30 s more than the pause. */
  readonly staleAfterMs?: number;
  /**
   * One turn. The signal is aborted when the loop is to end: blocked reads and waits must heed it. A turn that waits for a
   * store to come back calls `progress` each time it has tried.
   */
  readonly turn: (signal: AbortSignal, progress: () => void) => Promise<"again" | "idle">;
  /** Ends the loop from outside, beside `stop`. */
  readonly signal?: AbortSignal;
}

const FAILURE_PAUSE_MS = 500;
const MAX_FAILURE_PAUSE_MS = 5_000;

/** Resolves after `ms`, or as soon as the signal, if there is one, is aborted. Never rejects. */
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
      log.error({ loop: name, error }, `${name} failed; trying again`);
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
      // A turn that failed is progress too: the loop is alive, it is the store that is away.
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

/** The faults of several loops, by their names. */
export const faultsOf = (loops: readonly Loop[]): Record<string, string> =>
  Object.fromEntries(loops.flatMap((loop) => (loop.fault() === undefined ? [] : [[loop.name, loop.fault() ?? ""]])));
