/**
 * Moments of the last so many ms. To add one costs the same however many there are: to take the first of an array away moves all others,
 * 23,000 of them where 4,600 a second are remembered for 5 s.
 */
export class Lately {
  readonly #forMs: number;
  /** Oldest first; those before `#start` are over. */
  #moments: number[] = [];
  #start = 0;

  constructor(forMs: number) {
    this.#forMs = forMs;
  }

  /** The first that is remembered. */
  get first(): number | undefined {
    return this.#moments[this.#start];
  }

  get count(): number {
    return this.#moments.length - this.#start;
  }

  add(now: number): void {
    this.#moments.push(now);
    this.forget(now);
  }

  /** Forgets what is over. */
  forget(now: number): void {
    while ((this.first ?? now) < now - this.#forMs) this.#start += 1;
    if (this.#start < this.count) return;
    this.#moments = this.#moments.slice(this.#start);
    this.#start = 0;
  }
}
