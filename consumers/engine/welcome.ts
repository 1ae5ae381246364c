import { forgetOldest } from "../../runtime/forget-oldest.ts";

/** A party that accepts a third of its pieces stays welcome; one that accepted none of the last eight is not. */
const GOOD_POINTS = 2;
const MOST_POINTS = 8;
const MOST_PARTIES = 5_000;

/** Which parties accept pieces, and how often others did not. */
export class Welcome {
  /** By party, in the order of the last use: points above 0. */
  readonly #welcome = new Map<string, number>();
  /** Points below 0, so many were in vain; apart, so that however many strangers make nobody forget who is welcome. */
  readonly #refusing = new Map<string, number>();

  has(party: string): boolean {
    return this.#welcome.has(party);
  }

  /** Above 0: it is welcome; below: so many pieces were in vain. */
  pointsOf(party: string): number {
    return this.#welcome.get(party) ?? this.#refusing.get(party) ?? 0;
  }

  judge(party: string, isVain: boolean): void {
    const points = this.pointsOf(party);
    this.#welcome.delete(party);
    this.#refusing.delete(party);
    const next = isVain ? Math.max(-MOST_POINTS, points - 1) : Math.min(MOST_POINTS, Math.max(0, points) + GOOD_POINTS);
    if (next === 0) return;
    const known = next > 0 ? this.#welcome : this.#refusing;
    known.set(party, next);
    forgetOldest(known, MOST_PARTIES);
  }
}
