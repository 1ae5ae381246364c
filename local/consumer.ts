import { pause } from "../runtime/loop.ts";
import type { Child } from "./child.ts";

/** A consumer that is started again when it dies: a person is invited to kill one, and to see that the mail still comes. */
export interface KeptConsumer {
  readonly name: string;
  /** Of the process that runs now. */
  pid(): number;
  /** Lets it drain; no other takes its place. */
  stop(): Promise<void>;
}

export interface KeepOptions {
  readonly name: string;
  readonly start: () => Child;
  readonly drainTimeoutMs: number;
  readonly print: (line: string) => void;
  /** Called when it is not started again: how it ended, and what it said last. */
  readonly onGivingUp: (how: string, lastLines: string) => void;
}

const RESTART_AFTER_MS = 1_000;
/** A consumer that dies so often in so short a time would die again. */
const MAX_DEATHS = 5;
const DEATHS_WITHIN_MS = 10_000;
/** What it was told is wrong: that does not change by trying again. */
const BAD_SETTINGS = "exit code 78";

/** Why a consumer is not started again; undefined if it is. `deaths`: when it died, in ms of one clock. */
export const reasonToGiveUp = (how: string, deaths: readonly number[]): string | undefined => {
  if (how === BAD_SETTINGS) return how;
  const last = deaths.at(-1) ?? 0;
  const recent = deaths.filter((at) => last - at <= DEATHS_WITHIN_MS).length;
  return recent < MAX_DEATHS ? undefined : `${how}, the ${recent}th time within ${DEATHS_WITHIN_MS / 1_000} s`;
};

/** Starts a consumer, and keeps one running under its name. */
export const keepConsumer = (options: KeepOptions): KeptConsumer => {
  const { name, start, drainTimeoutMs, print, onGivingUp } = options;
  const stopping = new AbortController();
  const deaths: number[] = [];
  let child = start();

  const watch = async (): Promise<void> => {
    for (;;) {
      const how = await child.exited;
      if (stopping.signal.aborted) return;
      deaths.push(performance.now());
      const reason = reasonToGiveUp(how, deaths);
      if (reason !== undefined) return onGivingUp(reason, child.lastLines());
      print(`${name} ended (${how}); it starts again in ${RESTART_AFTER_MS / 1_000} s`);
      await pause(RESTART_AFTER_MS, stopping.signal);
      if (stopping.signal.aborted) return;
      child = start();
      print(`${name} is process ${child.pid} now`);
    }
  };
  const watching = watch();

  return {
    name,
    pid: () => child.pid,
    async stop() {
      stopping.abort();
      await child.stop("SIGTERM", drainTimeoutMs);
      await watching;
    },
  };
};
