/** What takes so many times as long as others that were good, and so long at least, is in vain as far as is known. In ms. */
const SLOW_TIMES = 3;
export const LEAST_SLOW_MS = 250;
/** The same while nothing was good. */
const NOBODY_SLOW_MS = 5_000;

/** Of what was known before a piece, so much counts after it: about the last twenty. */
export const KEPT = 0.95;
/** Fewer in vain may be a few that came together. */
const LEAST_VAIN = 5;

/** A piece that has not ended. */
export interface UnderWay {
  /** How long it has taken so far. */
  readonly ms: number;
  readonly isCommitted: boolean;
}

/** What pieces of one kind took lately: time for good, and in vain. */
export class Tally {
  #vainMs = 0;
  #goodMs = 0;
  #vain = 0;
  #good = 0;

  /** Whether they took more time in vain than for good. What is committed and not slow is good as far as is known. */
  isVain(underWay: readonly UnderWay[]): boolean {
    const slowMs = this.#good > 0 ? Math.max(LEAST_SLOW_MS, SLOW_TIMES * (this.#goodMs / this.#good)) : NOBODY_SLOW_MS;
    let [slow, vainMs, goodMs] = [0, this.#vainMs, this.#goodMs];
    for (const { ms, isCommitted } of underWay) {
      if (ms > slowMs) {
        slow += 1;
        vainMs += ms;
      } else if (isCommitted) goodMs += ms;
    }
    if (slow >= LEAST_VAIN && vainMs > this.#goodMs) return true;
    return this.#vain >= LEAST_VAIN && this.#vainMs > goodMs;
  }

  add(ms: number, isVain: boolean): void {
    this.#vainMs = this.#vainMs * KEPT + (isVain ? ms : 0);
    this.#goodMs = this.#goodMs * KEPT + (isVain ? 0 : ms);
    this.#vain = this.#vain * KEPT + (isVain ? 1 : 0);
    this.#good = this.#good * KEPT + (isVain ? 0 : 1);
  }
}
