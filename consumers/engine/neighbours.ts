import { forgetOldest } from "../../runtime/forget-oldest.ts";

/** Pieces that are remembered, those that ended last. */
const REMEMBERED = 500;
/** So many times as likely is what has something good on one side; again as much, on both. */
const LIKELIER = 2;
/** Of what was known before a piece, so much counts after it. */
const KEPT = 0.95;
/** Until so many ended that were likely, they are taken to be. */
const LEAST_LIKELY = 5;

/** How many of some ended, lately, and how many of them were good. */
class Share {
  all = 0;
  #good = 0;

  get good(): number {
    return this.all === 0 ? 0 : this.#good / this.all;
  }

  add(isGood: boolean): void {
    this.all = this.all * KEPT + 1;
    this.#good = this.#good * KEPT + (isGood ? 1 : 0);
  }
}

/**
 * What became of pieces, in the order in which they were made: a flood comes in a row, so what was made next to something good is
 * likely to be good. What is next to something in vain is not less likely than what is next to nothing known: else the newest would
 * always be first. Where what is likely turns out no better than the rest, it is no sign.
 */
export class Neighbours {
  /** In order of their places. */
  readonly #places: string[] = [];
  /** In the order in which they ended. */
  readonly #good = new Map<string, boolean>();
  readonly #likely = new Share();
  readonly #others = new Share();

  /** How likely what was made then is good, beside others. */
  odds(place: string): number {
    const isSign = this.#likely.all < LEAST_LIKELY || this.#likely.good > this.#others.good;
    return isSign ? this.#oddsBeside(place) : 1;
  }

  #oddsBeside(place: string): number {
    const index = this.#indexOf(place);
    const isGood = (at: string | undefined): boolean => at !== undefined && this.#good.get(at) === true;
    return (isGood(this.#places[index - 1]) ? LIKELIER : 1) * (isGood(this.#places[index]) ? LIKELIER : 1);
  }

  /** A piece has ended that was made then. */
  ended(place: string, isVain: boolean): void {
    (this.#oddsBeside(place) > 1 ? this.#likely : this.#others).add(!isVain);
    if (!this.#good.delete(place)) this.#places.splice(this.#indexOf(place), 0, place);
    this.#good.set(place, !isVain);
    const oldest = forgetOldest(this.#good, REMEMBERED);
    if (oldest !== undefined) this.#places.splice(this.#indexOf(oldest), 1);
  }

  /** Of the first place that is not before this one. */
  #indexOf(place: string): number {
    let [low, high] = [0, this.#places.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#places[middle] ?? "") < place) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
