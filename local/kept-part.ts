import { pause } from "../runtime/loop.ts";
import type { Child } from "./child.ts";

/** A program that is kept running under its name: started again when it dies, and replaced on request. */
export interface KeptPart {
  readonly name: string;
  /** Of the process that runs now. */
  pid(): number;
  /** Drains the process and starts another, also where none runs any more. Does nothing after `stop`. */
  replace(): Promise<void>;
  /** Drains the process; no other takes its place. */
  stop(): Promise<void>;
}

export interface KeepOptions {
  readonly name: string;
  readonly start: () => Child;
  readonly drainTimeoutMs: number;
  readonly print: (line: string) => void;
  /** How often within 10 s it may die before it is not started again; 1: the first death is final. */
  readonly maxDeaths: number;
  /** Called when it is not started again: how it ended, and its last lines. */
  readonly onGivingUp: (how: string, lastLines: string) => void;
}

const RESTART_AFTER_MS = 1_000;
const DEATHS_WITHIN_MS = 10_000;
/** Invalid settings do not become valid by a restart. */
const BAD_SETTINGS = "exit code 78";

/** Why a part is not started again; undefined if it is. `deaths`: when it died, in ms of one clock, the latest last. */
export const reasonToGiveUp = (how: string, deaths: readonly number[], maxDeaths: number): string | undefined => {
  const last = deaths.at(-1) ?? 0;
  const recent = deaths.filter((at) => last - at <= DEATHS_WITHIN_MS).length;
  if (how === BAD_SETTINGS || maxDeaths === 1) return how;
  return recent < maxDeaths ? undefined : `${how}, ${recent} times within ${DEATHS_WITHIN_MS / 1_000} s`;
};

/** Starts a program and keeps it running. */
export const keepPart = (options: KeepOptions): KeptPart => {
  const { name, start, drainTimeoutMs, print, maxDeaths, onGivingUp } = options;
  const stopping = new AbortController();
  let deaths: number[] = [];
  let isReplacing = false;

  const ended = async (which: Child, how: string): Promise<void> => {
    if (which !== child || isReplacing || stopping.signal.aborted) return;
    deaths.push(performance.now());
    const reason = reasonToGiveUp(how, deaths, maxDeaths);
    if (reason !== undefined) return onGivingUp(reason, which.lastLines());
    print(`${name} ended (${how}); it starts again in ${RESTART_AFTER_MS / 1_000} s`);
    await pause(RESTART_AFTER_MS, stopping.signal);
    // A replacement may have come first.
    if (which === child && !isReplacing && !stopping.signal.aborted) again();
  };

  const launch = (): Child => {
    const started = start();
    void started.exited.then((how) => ended(started, how));
    return started;
  };

  const again = (): void => {
    child = launch();
    print(`${name} is process ${child.pid} now`);
  };

  let child = launch();

  return {
    name,
    pid: () => child.pid,
    async replace() {
      isReplacing = true;
      await child.stop("SIGTERM", drainTimeoutMs);
      isReplacing = false;
      deaths = [];
      if (!stopping.signal.aborted) again();
    },
    async stop() {
      stopping.abort();
      await child.stop("SIGTERM", drainTimeoutMs);
    },
  };
};
