/** Harmful failures in a row that open the breaker, whatever succeeded before. */
const TRIP_AFTER = 2;

/** What a breaker knows of a system to which each question may do harm: whether it may ask. Times are monotonic, ms. */
export class Permit {
  #failures = 0;
  #isGiven = false;
  #refusedUntil = 0;

  /** Since the last answer, questions have failed that may have done harm. */
  get isHarmful(): boolean {
    return this.#failures > 0;
  }

  get isTripped(): boolean {
    return this.#failures >= TRIP_AFTER;
  }

  get isMissing(): boolean {
    return this.isHarmful && !this.#isGiven;
  }

  /** 0: not refused. */
  get refusedUntil(): number {
    return this.isMissing ? this.#refusedUntil : 0;
  }

  give(): void {
    this.#isGiven = true;
  }

  refuse(until: number): void {
    this.#refusedUntil = until;
  }

  /** It is good for one question. */
  use(): void {
    this.#isGiven = false;
  }

  failed(): void {
    this.#failures += 1;
  }

  /** The system answered as it should. */
  end(): void {
    this.#failures = 0;
    this.#isGiven = false;
  }
}
