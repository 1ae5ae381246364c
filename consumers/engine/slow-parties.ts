import { forgetOldest } from "../../runtime/forget-oldest.ts";

/** A piece is slow that takes so many times as long as others, and so long at least, in ms. */
const SLOW_TIMES = 5;
const LEAST_SLOW_MS = 1_000;
/** A piece under way is late that takes so many times as long as those of its party do, and others', and so long at least, in ms. */
const LATE_TIMES = 2;
const LEAST_LATE_MS = 200;
/** Of all pieces this share is quicker than what counts as usual: who is slow for the others does not change it. */
const QUICKER = 0.4;
/** How far one piece moves what is usual. */
const STEP = 0.1;
/** A party is slow from so many slow pieces on, beyond those that were not; it is not for long once it is as quick as others. */
const SLOW_FROM = 3;
const MOST_POINTS = 6;
const MOST_PARTIES = 1_000;
/** Nobody is slow where no other party was quick for so long, in ms: there is nobody to leave anything to. */
const OTHERS_MS = 120_000;

/** Pieces of a party that are past the commit point. */
export interface UnderWayOf {
  readonly slow: number;
  readonly all: number;
}

interface Quick {
  readonly party: string;
  /** Monotonic, ms. */
  readonly at: number;
}

/**
 * Parties whose pieces hold what they have of the other system for much longer than those of others. From its commit point on a piece cannot be given up, so
 * in the order in which they came they would have all of it, as soon as they need more than there is: whoever else waits would wait as long as they take.
 * Also what is under way counts, which may never be answered, where that is half of what a party has. Times are in ms, from the commit point on.
 */
export class SlowParties {
  readonly #now: () => number;
  #usualMs = 0;
  /** The last piece that was quick, and the last one of another party. */
  #quick: Quick | undefined;
  #quickBefore: Quick | undefined;
  /** By party, in the order of the last change: slow pieces beyond those that were not. */
  readonly #points = new Map<string, number>();
  /** By party, in the same order: how long its pieces take that are not slow. */
  readonly #usualOf = new Map<string, number>();

  /** `now`: monotonic, ms. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Whether a piece takes longer than others, that has taken so long. */
  isSlow(ms: number): boolean {
    return this.#usualMs > 0 && ms > Math.max(LEAST_SLOW_MS, SLOW_TIMES * this.#usualMs);
  }

  /**
   * Whether a piece under way is slow, or late, which is sooner: a party that falls silent has all there is before the first of its pieces is slow. Of a
   * party whose pieces take long anyway none is late.
   */
  isLate(party: string, ms: number): boolean {
    const usualMs = this.#usualOf.get(party);
    if (usualMs === undefined) return this.isSlow(ms);
    return ms > Math.max(LEAST_LATE_MS, LATE_TIMES * Math.max(usualMs, this.#usualMs)) || this.isSlow(ms);
  }

  /** Whether a party is slow, of whose pieces so many are past the commit point, and so many of these slow or late: fewer than half may have been lost. */
  has(party: string, { slow, all }: UnderWayOf): boolean {
    const underWay = 2 * slow >= all ? slow : 0;
    if ((this.#points.get(party) ?? 0) + underWay < SLOW_FROM) return false;
    const other = this.#quick?.party === party ? this.#quickBefore : this.#quick;
    return other !== undefined && this.#now() - other.at < OTHERS_MS;
  }

  /** A piece has ended, so long after its commit point. */
  ended(party: string, ms: number): void {
    const isSlow = this.isSlow(ms);
    const points = (this.#points.get(party) ?? 0) + (isSlow ? 1 : -1);
    if (!isSlow) {
      if (this.#quick?.party !== party) this.#quickBefore = this.#quick;
      this.#quick = { party, at: this.#now() };
      const usualMs = this.#usualOf.get(party) ?? ms;
      this.#usualOf.delete(party);
      this.#usualOf.set(party, usualMs + STEP * (ms - usualMs));
      forgetOldest(this.#usualOf, MOST_PARTIES);
    }
    this.#points.delete(party);
    if (points > 0) this.#points.set(party, Math.min(MOST_POINTS, points));
    forgetOldest(this.#points, MOST_PARTIES);
    if (this.#usualMs === 0) this.#usualMs = ms;
    // Up and down by as much as balances where the share is quicker.
    else this.#usualMs *= Math.exp(STEP * (ms < this.#usualMs ? QUICKER - 1 : QUICKER));
  }
}
