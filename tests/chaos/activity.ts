import { pause } from "../../runtime/loop.ts";

/** What goes on beside the faults: turns at an interval, and what they begin, until all of it is stopped. */
export interface Activity {
  /** Aborted at the stop. */
  readonly signal: AbortSignal;
  /** Calls `turn` now, and again `everyMs` after each. */
  start(everyMs: number, turn: () => void): void;
  /** Something that a turn has begun, and that never rejects: the stop waits for it. */
  begin(one: Promise<void>): void;
  /** Ends the turns, and waits for what they have begun. */
  stop(): Promise<void>;
}

export const createActivity = (): Activity => {
  const stopping = new AbortController();
  const { signal } = stopping;
  const inFlight = new Set<Promise<void>>();
  let running = Promise.resolve();

  const run = async (everyMs: number, turn: () => void): Promise<void> => {
    while (!signal.aborted) {
      turn();
      await pause(everyMs, signal);
    }
  };

  return {
    signal,
    start(everyMs, turn) {
      running = run(everyMs, turn);
    },
    begin(one) {
      inFlight.add(one);
      void one.finally(() => inFlight.delete(one));
    },
    async stop() {
      stopping.abort();
      await running;
      await Promise.all(inFlight);
    },
  };
};
