/** So many at first, or this share of what may ever be in flight, and one more with each answer. */
const FIRST = 5;
const FIRST_SHARE = 1 / 8;
/** Twice as many after so long without an answer, while nothing is known to be in vain: the other system may be slow. In ms. */
const CALM_MS = 200;
/** Else one more, and later beyond so many, or this share of those that do not only wait: some may never answer. */
const NO_ANSWER_MS = 1_000;
const LONG_NO_ANSWER_MS = 4_000;
const MANY_UNANSWERED = 10;
const MANY_SHARE = 0.75;
/** So many more may be asked whose answer tells of several pieces. */
const MORE_FOR_SEVERAL = 5;
/** In this time half of what was granted beyond the first is forgotten; in so many times what a good one takes, if that is longer. */
const LEAST_HALF_MS = 500;
const HALF_TIMES = 5;
/** What took longer, in vain, is no answer. */
const LATEST_REFUSAL_MS = 2_000;

/** What is known of all pieces. */
interface Known {
  /** How many pieces may be in flight now: more are of no use. */
  readonly allowance: number;
  /** How long a good one takes, in ms; 0: none was. */
  readonly usualMs: number;
  /** Whether some were in vain lately, or are late. */
  readonly isCautious: boolean;
}

/**
 * How many pieces for parties of whom nothing is known may be under way without an answer. Whoever does not answer keeps what the piece
 * holds of the other system; so strangers are asked as TCP fills a path that it does not know: few at first, as many more as answer, and
 * few again after a while. While nothing is late or in vain they are soon as many as there is room for.
 */
export class Strangers {
  readonly #now: () => number;
  readonly #first: number;
  /** More than these only wait for others. */
  readonly #atOnce: number;
  /** Never below the first ones. */
  #most: number;
  /** Monotonic, ms: since when there has been room for none, or when more were granted without an answer. */
  #fullSince = 0;
  #fadedAt = 0;

  /** `now`: monotonic, ms; `concurrency`: how many pieces may be in flight at most; `ahead`: so many of them only wait. */
  constructor(now: () => number, { concurrency, ahead }: { readonly concurrency: number; readonly ahead: number }) {
    this.#now = now;
    this.#first = Math.max(FIRST, FIRST_SHARE * concurrency);
    this.#atOnce = Math.max(1, concurrency - ahead);
    this.#most = this.#first;
  }

  /** How many more beside those that are under way. */
  room(underWay: number, known: Known): number {
    const { usualMs, isCautious } = known;
    this.#fade(known);
    const now = this.#now();
    const isCalm = !isCautious || usualMs === 0;
    if (isCalm) this.#most = Math.max(this.#most, underWay);
    if (underWay < Math.floor(this.#most)) this.#fullSince = now;
    const many = Math.max(MANY_UNANSWERED, MANY_SHARE * this.#atOnce);
    const waitMs = isCalm ? CALM_MS : underWay < many ? NO_ANSWER_MS : LONG_NO_ANSWER_MS;
    if (now - this.#fullSince >= waitMs) {
      this.#most = isCalm ? 2 * underWay : underWay + 1;
      this.#fullSince = now;
    }
    // While nobody has accepted anything, nobody may ever answer: who only waits for the others would take as long again.
    if (usualMs === 0) this.#most = Math.min(this.#most, Math.max(this.#first, this.#atOnce));
    const most = usualMs === 0 ? Math.min(this.#most, this.#atOnce) : this.#most;
    return Math.max(0, Math.floor(most) - underWay);
  }

  /** The same for those whose answer tells of several pieces. */
  roomForSeveral(underWay: number, known: Known): number {
    this.#fade(known);
    return Math.max(0, Math.floor(this.#most) + MORE_FOR_SEVERAL - underWay);
  }

  /** One has ended after so long. */
  ended({ ms, isVain }: { readonly ms: number; readonly isVain: boolean }, known: Known): void {
    if (isVain && ms >= LATEST_REFUSAL_MS) return;
    this.#fade(known);
    this.#most = Math.max(this.#first, Math.min(known.allowance, this.#most + 1));
  }

  #fade(known: Known): void {
    const ms = this.#now() - this.#fadedAt;
    this.#fadedAt = this.#now();
    const halves = ms / Math.max(LEAST_HALF_MS, HALF_TIMES * known.usualMs);
    this.#most = this.#first + (this.#most - this.#first) * 0.5 ** halves;
  }
}
