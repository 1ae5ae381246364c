import type { ConnectionLimit, Pace } from "./capacity.ts";
import type { SmtpFailure } from "./failure.ts";

/** `taken`; `cancelled`: by the signal; `late`: there was none in time; a failure: the server is away since it refused the mail. */
type Slot = "taken" | "cancelled" | "late" | SmtpFailure;

interface Waiter {
  readonly refused: SmtpFailure | undefined;
  readonly end: (slot: Slot) => void;
}

/** Who may send: no more at once than connections are granted, no more a second than the pace allows. First in, first out. */
export interface SendSlots {
  /** Waits for a slot, until `until` (monotonic, ms). `refused`: why the mail waits again; it is the next one then. */
  take(
    signal: AbortSignal,
    options: { readonly until: number; readonly refused: SmtpFailure | undefined },
  ): Promise<Slot>;
  free(): void;
  /** More may be granted than before. */
  look(): void;
  /** The server grants no connection at all: fails those that wait since it refused them. */
  failRefused(): void;
  /** Nobody need wait: there will be no connection soon. */
  turnAway(): void;
  busy(): number;
  untilIdle(): Promise<void>;
}

export const createSendSlots = (deps: {
  readonly limit: ConnectionLimit;
  readonly pace: Pace;
  /** Whether there is a connection that is open and free. */
  readonly hasIdle: () => boolean;
}): SendSlots => {
  const { limit, pace, hasIdle } = deps;
  const waiting: Waiter[] = [];
  const idleWaiters: (() => void)[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  let busy = 0;

  const next = (): void => {
    clearTimeout(timer);
    while (waiting.length > 0) {
      if (busy >= limit.granted) limit.grow();
      if (busy >= limit.granted) return;
      const waitMs = Math.max(pace.waitMs, hasIdle() ? 0 : limit.openAfterMs);
      if (waitMs > 0) {
        timer = setTimeout(next, waitMs);
        return;
      }
      busy += 1;
      pace.took();
      waiting.shift()?.end("taken");
    }
  };

  return {
    busy: () => busy,
    look: next,
    take: (signal, { until, refused }) =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve("cancelled");
        const end = (slot: Slot) => {
          clearTimeout(late);
          signal.removeEventListener("abort", cancel);
          resolve(slot);
        };
        const giveUp = (slot: Slot) => {
          waiting.splice(waiting.indexOf(waiter), 1);
          end(slot);
        };
        const cancel = () => giveUp("cancelled");
        const late = setTimeout(() => giveUp("late"), until - performance.now());
        const waiter: Waiter = { refused, end };
        signal.addEventListener("abort", cancel);
        if (refused === undefined) waiting.push(waiter);
        else waiting.unshift(waiter);
        next();
      }),
    free: () => {
      busy -= 1;
      next();
      if (busy === 0) for (const resolve of idleWaiters.splice(0)) resolve();
    },
    failRefused: () => {
      for (const waiter of [...waiting]) {
        if (waiter.refused === undefined) continue;
        waiting.splice(waiting.indexOf(waiter), 1);
        waiter.end(waiter.refused);
      }
    },
    turnAway: () => {
      for (const waiter of waiting.splice(0)) waiter.end("late");
    },
    untilIdle: () => (busy === 0 ? Promise.resolve() : new Promise((resolve) => idleWaiters.push(resolve))),
  };
};
