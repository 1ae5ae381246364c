import type { ConnectionLimit } from "./capacity.ts";
import type { SmtpFailure } from "./failure.ts";
import type { Pace } from "./pace.ts";

/** A slot, which whoever has it frees; `cancelled`: by the signal; `late`: there was none in time; a failure: the server is away since it refused the mail. */
type Slot = { readonly kind: "taken"; readonly free: () => void } | "cancelled" | "late" | SmtpFailure;

interface Waiter {
  /** The lowest has waited for longest, or waits again. */
  readonly order: number;
  readonly refused: SmtpFailure | undefined;
  readonly isSlow: () => boolean;
  readonly end: (slot: Slot) => void;
}

/**
 * Who may send: no more at once than connections are granted, no more a second than the pace allows. First in, first out; but
 * doubtful mails get a tenth of the connections, and of the time on them, while others wait; three quarters if no others wait, slow ones half if others came lately.
 */
export interface SendSlots {
  /** Waits for a slot, until `until` (monotonic, ms). `refused`: why the mail waits again; it is the next one then. */
  take(
    signal: AbortSignal,
    options: {
      readonly until: number;
      readonly refused: SmtpFailure | undefined;
      readonly isDoubtful: boolean;
      /** Whether it is slow, asked again when its turn comes: then it is doubtful, too. */
      readonly isSlow?: () => boolean;
    },
  ): Promise<Slot>;
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
const SLOW_SHARE = 0.5;
/** So long after another one they still leave half to others, in ms. */
const LATELY_MS = 10_000;
/** The pace may grow meanwhile. */
const LOOK_MS = 1_000;
/** Over which the shares are kept: as long as a mail may take. */
const REMEMBERED_MS = 30_000;

export const createSendSlots = (deps: {
  readonly limit: ConnectionLimit;
  readonly pace: Pick<Pace, "perSecond" | "waitMs" | "took">;
  /** Connections that are open and free. */
  readonly idle: () => number;
  /** For so long none is opened beside those that work, in ms: logins are refused. */
  readonly restMs?: () => number;
  /** A connection is being opened. */
  readonly isOpening: () => boolean;
  /** Monotonic, ms. */
  readonly now: () => number;
}): SendSlots => {
  const { limit, pace, idle, restMs = () => 0, isOpening, now } = deps;
  const doubtful: Waiter[] = [];
  const others: Waiter[] = [];
  const idleWaiters: (() => void)[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  let busy = 0;
  let doubtfulBusy = 0;
  /** Time on connections while mails of both kinds wait, in ms. */
  let spent = { doubtful: 0, others: 0 };
  let countedAt = 0;
  let lastOrder = 0;
  let firstOrder = 0;
  let otherAt = Number.NEGATIVE_INFINITY;

  const isWaitedFor = (): boolean => doubtful.length + others.length > 0;

  const count = (): void => {
    const ms = now() - countedAt;
    countedAt = now();
    // Nobody is owed what was of no use to others.
    if (doubtfulBusy + doubtful.length === 0 || others.length === 0) return;
    const fade = Math.exp(-ms / REMEMBERED_MS);
    spent = {
      doubtful: spent.doubtful * fade + doubtfulBusy * ms,
      others: spent.others * fade + (busy - doubtfulBusy) * ms,
    };
  };

  /** Whose turn it is: of those the first; undefined: nobody's. */
  const turn = (): Waiter[] | undefined => {
    const [inDoubt, other] = [doubtful[0], others[0]];
    if (inDoubt === undefined) return other && others;
    const isHalf = inDoubt.isSlow() && now() - otherAt < LATELY_MS;
    const alone = isHalf ? Math.floor(SLOW_SHARE * limit.granted) : Math.ceil(SHARE_ALONE * limit.granted);
    const most = other === undefined ? alone : Math.floor(DOUBTFUL_SHARE * limit.granted);
    if (doubtfulBusy >= Math.max(1, most)) return other && others;
    if (other === undefined) return doubtful;
    const hasHadItsShare = spent.doubtful > DOUBTFUL_SHARE * (spent.doubtful + spent.others);
    return hasHadItsShare || other.order < inDoubt.order ? others : doubtful;
  };

  /** Slow ones would have what is granted then, and the one that they leave to others be refused. */
  const mayAskForMore = (): boolean => doubtful[0]?.isSlow() !== true || !limit.isKnown;

  /** Whose turn it would be is asked whether it is slow, as far as is known by now. */
  const passBySlow = (): void => {
    for (let [first] = others; first?.isSlow() === true; [first] = others) {
      others.shift();
      doubtful.push(first);
      doubtful.sort((one, other) => one.order - other.order);
    }
  };

  const free = (isDoubtful: boolean): void => {
    count();
    busy -= 1;
    if (isDoubtful) doubtfulBusy -= 1;
    next();
    if (busy === 0) for (const resolve of idleWaiters.splice(0)) resolve();
  };

  const next = (): void => {
    clearTimeout(timer);
    count();
    // Who is given a slot takes its connection a moment later.
    let taken = 0;
    while (isWaitedFor()) {
      passBySlow();
      if (busy >= limit.granted || (turn() === undefined && mayAskForMore())) limit.grow();
      if (busy >= limit.granted) {
        // Where opening one takes its time, nothing else would ask for more. Else a mail that ends does, so that no consumer is far ahead of its peers.
        const { growAfterMs } = limit;
        if (growAfterMs !== undefined && isOpening()) timer = setTimeout(next, Math.max(1, growAfterMs));
        return;
      }
      const queue = turn();
      if (queue === undefined) return;
      const waitMs = Math.max(pace.waitMs, idle() > taken ? 0 : Math.max(limit.openAfterMs, restMs()));
      if (waitMs > 0) {
        timer = setTimeout(next, Math.min(LOOK_MS, waitMs));
        return;
      }
      // Each costs a turn of the pace, too, however soon it is over.
      const turnMs =
        doubtful.length > 0 && others.length > 0 ? 1_000 / (pace.perSecond ?? Number.POSITIVE_INFINITY) : 0;
      const taker = queue.shift();
      busy += 1;
      taken += 1;
      const isDoubtful = queue === doubtful;
      spent[isDoubtful ? "doubtful" : "others"] += turnMs;
      if (isDoubtful) doubtfulBusy += 1;
      else otherAt = now();
      pace.took();
      taker?.end({ kind: "taken", free: () => free(isDoubtful) });
    }
  };

  /** In the queue's order, unless it waits again: then it is the next one. */
  const enter = (queue: Waiter[], asked: Omit<Waiter, "order">): Waiter => {
    const { refused } = asked;
    const waiter = { ...asked, order: refused === undefined ? ++lastOrder : --firstOrder };
    if (refused === undefined) queue.push(waiter);
    else queue.unshift(waiter);
    return waiter;
  };

  return {
    busy: () => busy,
    look: next,
    isWaitedFor,
    take: (signal, { until, refused, isDoubtful, isSlow = () => false }) =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve("cancelled");
        const queue = isDoubtful || isSlow() ? doubtful : others;
        let late: ReturnType<typeof setTimeout> | undefined;
        let isOver = false;
        const end = (slot: Slot) => {
          isOver = true;
          resolve(slot);
          if (late === undefined) return;
          clearTimeout(late);
          signal.removeEventListener("abort", cancel);
        };
        const waiter = enter(queue, { refused, isSlow, end });
        const giveUp = (slot: Slot) => {
          for (const each of [doubtful, others]) if (each.includes(waiter)) each.splice(each.indexOf(waiter), 1);
          end(slot);
        };
        const cancel = () => giveUp("cancelled");
        next();
        if (isOver) return;
        late = setTimeout(() => giveUp("late"), Math.max(0, until - now()));
        signal.addEventListener("abort", cancel);
      }),
    failRefused: () => {
      for (const queue of [doubtful, others]) {
        for (const waiter of [...queue]) {
          if (waiter.refused === undefined) continue;
          queue.splice(queue.indexOf(waiter), 1);
          waiter.end(waiter.refused);
        }
      }
    },
    turnAway: () => {
      for (const waiter of [...doubtful.splice(0), ...others.splice(0)]) waiter.end("late");
    },
    untilIdle: () => (busy === 0 ? Promise.resolve() : new Promise((resolve) => idleWaiters.push(resolve))),
  };
};
