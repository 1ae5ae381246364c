/** Harmful failures in a row that open the breaker, whatever succeeded before. */
const TRIP_AFTER = 2;

/** What a breaker knows of a system to which each question may do harm: whether it may ask. Times are monotonic, ms. */
export class Permit {
  #failures = 0;
  #givenUntil = Number.NEGATIVE_INFINITY;
  #refusedUntil = 0;

  /** Since the last answer, questions have failed that may have done harm. */
  get isHarmful(): boolean {
    return this.#failures > 0;
  }

  get isTripped(): boolean {
    return this.#failures >= TRIP_AFTER;
  }

  isMissing(now: number): boolean {
    return this.isHarmful && !this.isGiven(now);
  }

  isGiven(now: number): boolean {
    return now < this.#givenUntil;
  }

  /** 0: not refused. */
  refusedUntil(now: number): number {
    return this.isMissing(now) ? this.#refusedUntil : 0;
  }

  give(until: number): void {
    this.#givenUntil = until;
  }

  refuse(until: number): void {
    this.#refusedUntil = until;
  }

  /** It is good for one question. */
  use(): void {
    this.#givenUntil = Number.NEGATIVE_INFINITY;
  }

  failed(): void {
    this.#failures += 1;
  }

  /** The system answered as it should, or fails in a way that does no harm. */
  end(): void {
    this.#failures = 0;
    this.#givenUntil = Number.NEGATIVE_INFINITY;
  }
}
