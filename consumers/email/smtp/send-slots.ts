import type { ConnectionLimit, Pace } from "./capacity.ts";
import type { SmtpFailure } from "./failure.ts";

/** `taken`; `cancelled`: by the signal; `late`: there was none in time; a failure: the server is away since it refused the mail. */
type Slot = "taken" | "cancelled" | "late" | SmtpFailure;

interface Waiter {
  readonly refused: SmtpFailure | undefined;
  readonly isDoubtful: boolean;
  readonly end: (slot: Slot) => void;
}

/**
 * Who may send: no more at once than connections are granted, no more a second than the pace allows. First in, first out; but
 * doubtful mails get a tenth of the connections, and of the time on them, while others wait; three quarters if no others wait.
 */
export interface SendSlots {
  /** Waits for a slot, until `until` (monotonic, ms). `refused`: why the mail waits again; it is the next one then. */
  take(
    signal: AbortSignal,
    options: { readonly until: number; readonly refused: SmtpFailure | undefined; readonly isDoubtful: boolean },
  ): Promise<Slot>;
  free(isDoubtful: boolean): void;
  /** Whether mails wait. */
  isWaitedFor(): boolean;
  /** More may be granted than before. */
  look(): void;
  /** The server grants no connection at all: fails those that wait since it refused them. */
  failRefused(): void;
  /** Nobody need wait: there will be no connection soon. */
  turnAway(): void;
  busy(): number;
  untilIdle(): Promise<void>;
}

const DOUBTFUL_SHARE = 0.1;
const SHARE_ALONE = 0.75;
/** Over which the shares are kept: as long as a mail may take. */
const REMEMBERED_MS = 30_000;

export const createSendSlots = (deps: {
  readonly limit: ConnectionLimit;
  readonly pace: Pace;
  /** Whether there is a connection that is open and free. */
  readonly hasIdle: () => boolean;
  /** Monotonic, ms. */
  readonly now: () => number;
}): SendSlots => {
  const { limit, pace, hasIdle, now } = deps;
  const waiting: Waiter[] = [];
  const idleWaiters: (() => void)[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  let busy = 0;
  let doubtfulBusy = 0;
  /** Time on connections while mails of both kinds wait, in ms. */
  let spent = { doubtful: 0, others: 0 };
  let countedAt = 0;

  const count = (): void => {
    const ms = now() - countedAt;
    countedAt = now();
    // Nobody is owed what was of no use to others.
    const hasDoubtful = doubtfulBusy > 0 || waiting.some(({ isDoubtful }) => isDoubtful);
    if (!hasDoubtful || waiting.every(({ isDoubtful }) => isDoubtful)) return;
    const fade = Math.exp(-ms / REMEMBERED_MS);
    spent = {
      doubtful: spent.doubtful * fade + doubtfulBusy * ms,
      others: spent.others * fade + (busy - doubtfulBusy) * ms,
    };
  };

  /** The place of the one whose turn it is; below 0: of nobody's. */
  const turn = (): number => {
    const doubtful = waiting.findIndex(({ isDoubtful }) => isDoubtful);
    const other = waiting.findIndex(({ isDoubtful }) => !isDoubtful);
    const most = other < 0 ? Math.ceil(SHARE_ALONE * limit.granted) : Math.floor(DOUBTFUL_SHARE * limit.granted);
    if (doubtful < 0 || doubtfulBusy >= Math.max(1, most)) return other;
    if (other < 0) return doubtful;
    const hasHadItsShare = spent.doubtful > DOUBTFUL_SHARE * (spent.doubtful + spent.others);
    return hasHadItsShare ? other : Math.min(doubtful, other);
  };

  const next = (): void => {
    clearTimeout(timer);
    count();
    while (waiting.length > 0) {
      if (busy >= limit.granted || turn() < 0) limit.grow();
      if (busy >= limit.granted) return;
      const at = turn();
      if (at < 0) return;
      const waitMs = Math.max(pace.waitMs, hasIdle() ? 0 : limit.openAfterMs);
      if (waitMs > 0) {
        timer = setTimeout(next, waitMs);
        return;
      }
      const [taker] = waiting.splice(at, 1);
      busy += 1;
      if (taker?.isDoubtful === true) doubtfulBusy += 1;
      pace.took();
      taker?.end("taken");
    }
  };

  return {
    busy: () => busy,
    look: next,
    isWaitedFor: () => waiting.length > 0,
    take: (signal, { until, refused, isDoubtful }) =>
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
        const late = setTimeout(() => giveUp("late"), Math.max(0, until - now()));
        const waiter: Waiter = { refused, isDoubtful, end };
        signal.addEventListener("abort", cancel);
        if (refused === undefined) waiting.push(waiter);
        else waiting.unshift(waiter);
        next();
      }),
    free: (isDoubtful) => {
      count();
      busy -= 1;
      if (isDoubtful) doubtfulBusy -= 1;
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
