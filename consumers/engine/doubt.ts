/** A piece of work that ended: how long it took, and whether it was in vain. */
interface Ended {
  readonly ms: number;
  readonly isVain: boolean;
}

/** Of what was known before a piece, so much counts after it: about the last twenty. */
const KEPT = 0.95;
/** Of the pieces that may be in flight, those in doubt are at most this share; one at least. */
const MOST_IN_DOUBT = 0.25;
/** The same while nothing new waits: what comes then still finds room. */
const MOST_ALONE = 0.75;

/**
 * Whether pieces that come back, because they were refused or passed over before, are in doubt: lately they took more time in vain
 * than for good. Then others go first: a few of them are in flight, and get what others leave of the other system.
 */
export class Doubt {
  readonly #allowance: () => number;
  #vainMs = 0;
  #goodMs = 0;
  #inFlight = 0;

  /** `allowance`: how many pieces may be in flight now. */
  constructor(allowance: () => number) {
    this.#allowance = allowance;
  }

  /** Whether pieces that come back are in doubt now. */
  get isOfReturns(): boolean {
    return this.#vainMs > this.#goodMs;
  }

  /** How many more pieces in doubt may be in flight; more if nothing new waits. */
  room({ isAlone }: { readonly isAlone: boolean }): number {
    const most = Math.floor((isAlone ? MOST_ALONE : MOST_IN_DOUBT) * this.#allowance());
    return Math.max(0, Math.max(1, most) - this.#inFlight);
  }

  /** A piece that came back has ended. */
  returned({ ms, isVain }: Ended): void {
    this.#vainMs = this.#vainMs * KEPT + (isVain ? ms : 0);
    this.#goodMs = this.#goodMs * KEPT + (isVain ? 0 : ms);
  }

  /** Runs the work of a piece in doubt. */
  async around<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#inFlight += 1;
    try {
      return await work();
    } finally {
      this.#inFlight -= 1;
    }
  }
}
