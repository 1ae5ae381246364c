import type { Logger } from "../observability/logger.ts";
import { backoffMs } from "./backoff.ts";
import { messageOf } from "./message-of.ts";
import { publishedFault } from "./published-fault.ts";

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
  /**
   * What keeps it from its work, and since when: the error of its last turn or attempt, or that its turn does not end. Undefined
   * when its last turn succeeded.
   */
  fault(): string | undefined;
  /** The same in words that anybody may read. */
  publishedFault(): string | undefined;
}

/** Says that a turn goes on, and with which error, if the last attempt failed. */
export type Progress = (error?: unknown) => void;

export interface LoopOptions {
  readonly name: string;
  readonly log: Logger;
  /** Pause after a turn that returns "idle", in ms. After "again" the next turn follows at once. */
  readonly everyMs: number;
  /** Longest time without a finished turn that counts as live, in ms; default: `everyMs` and 30 s. */
  readonly staleAfterMs?: number;
  /**
   * One turn. The signal is aborted when the loop must end: blocked reads and waits must honour it. A turn that retries
   * until a store is available again calls `progress` after each attempt, with the error of one that failed.
   */
  readonly turn: (signal: AbortSignal, progress: Progress) => Promise<"again" | "idle">;
  /** Longest pause after failures, in ms; default: 5 s. For turns that must be on time although they fail. */
  readonly longestFailurePauseMs?: number;
  /** What its turns need: when it says that it is ready, a turn that failed is repeated at once. */
  readonly needs?: Readiness;
  /** Ends the loop, as `stop` does. */
  readonly signal?: AbortSignal;
}

/** A connection that says when it is there again. */
export interface Readiness {
  on(event: "ready", listener: () => void): unknown;
  off(event: "ready", listener: () => void): unknown;
}

const FAILURE_PAUSE_MS = 500;
const MAX_FAILURE_PAUSE_MS = 5_000;
/** A turn that takes longer, without a word, waits for something that does not come: shown as a fault. */
const STUCK_AFTER_MS = 6_000;

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

/** The same, or as soon as what failed is ready again. */
const pauseUntilReady = async (ms: number, signal: AbortSignal, needs: Readiness): Promise<void> => {
  const ready = new AbortController();
  const end = () => ready.abort();
  needs.on("ready", end);
  await pause(ms, AbortSignal.any([signal, ready.signal]));
  needs.off("ready", end);
};

/** A fault in words: what, and since when (ISO 8601, UTC). */
export const faultSince = (fault: string, since: Date): string => `${fault}; since ${since.toISOString()}`;

/** Since when a fault in these words is; undefined: it does not say. */
export const sinceOf = (fault: string): Date | undefined => {
  const at = /; since (\S+)$/.exec(fault)?.[1];
  return at === undefined ? undefined : new Date(at);
};

/** Starts a loop. */
export const startLoop = (options: LoopOptions): Loop => {
  const { name, log, everyMs, turn, longestFailurePauseMs = MAX_FAILURE_PAUSE_MS } = options;
  const staleAfterMs = options.staleAfterMs ?? everyMs + 30_000;
  const controller = new AbortController();
  const stopWithParent = () => controller.abort();
  options.signal?.addEventListener("abort", stopWithParent);
  if (options.signal?.aborted === true) controller.abort();

  let lastTurnAt = performance.now();
  let isInTurn = false;
  let failures = 0;
  let fault: { readonly error: unknown; readonly since: Date } | undefined;
  const reported = new Set<string>();

  const note = (error: unknown) => {
    fault = { error, since: fault?.since ?? new Date() };
  };

  const progress: Progress = (error) => {
    lastTurnAt = performance.now();
    if (error !== undefined) note(error);
  };

  const failed = (error: unknown): number => {
    failures += 1;
    note(error);
    const message = messageOf(error);
    if (!reported.has(message)) {
      reported.add(message);
      log.error({ loop: name, error }, `${name} failed; retrying`);
    }
    return backoffMs(failures, FAILURE_PAUSE_MS, longestFailurePauseMs, Math.random);
  };

  const recovered = () => {
    if (failures > 0) log.info({ loop: name, failures }, `${name} succeeded after ${failures} failures`);
    failures = 0;
    fault = undefined;
    reported.clear();
  };

  const faultIn = (wordsOf: (error: unknown) => string) => (): string | undefined => {
    if (fault !== undefined) return faultSince(wordsOf(fault.error), fault.since);
    const silentMs = performance.now() - lastTurnAt;
    if (!isInTurn || silentMs < STUCK_AFTER_MS) return undefined;
    return faultSince("its turn does not end: it waits for a store", new Date(Date.now() - silentMs));
  };

  const run = async () => {
    while (!controller.signal.aborted) {
      let waitMs = everyMs;
      let needs: Readiness | undefined;
      progress();
      isInTurn = true;
      try {
        if ((await turn(controller.signal, progress)) === "again") waitMs = 0;
        recovered();
      } catch (error) {
        if (controller.signal.aborted) break;
        waitMs = failed(error);
        needs = options.needs;
      } finally {
        isInTurn = false;
      }
      // A failed turn is progress, too: the store is unavailable, the loop is alive.
      progress();
      if (waitMs > 0) {
        const { signal } = controller;
        await (needs === undefined ? pause(waitMs, signal) : pauseUntilReady(waitMs, signal, needs));
      }
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
    fault: faultIn(messageOf),
    publishedFault: faultIn(publishedFault),
    isLive: () => controller.signal.aborted || performance.now() - lastTurnAt <= staleAfterMs,
    [Symbol.asyncDispose]: stop,
  };
};

/** The faults of several loops, by name, in words that anybody may read. */
export const faultsOf = (loops: readonly Loop[]): Record<string, string> =>
  Object.fromEntries(
    loops.flatMap((loop) => {
      const fault = loop.publishedFault();
      return fault === undefined ? [] : [[loop.name, fault]];
    }),
  );
