/** Consecutive failures that open a breaker. */
const TRIP_AFTER = 5;
/** Different events among them, at least: one bad event must not stop all others. */
const TRIP_EVENTS = 2;
/** While recovering. */
const REOPEN_AFTER = 3;
/** Results that are remembered. While a quarter of them are successes, the system works for some: the breaker does not open. */
const REMEMBERED = 20;

/** How often in a row a system has failed, with no answer between, and how often it answered lately: whether it fails whatever it is asked. */
export class FailureRow {
  #count = 0;
  readonly #events = new Set<string>();
  #results: boolean[] = [];

  failed(eventId: string): void {
    this.#count += 1;
    this.#events.add(eventId);
    this.#remember(false);
  }

  answered(): void {
    this.end();
    this.#remember(true);
  }

  /** It no longer counts, though nothing was answered. */
  end(): void {
    this.#count = 0;
    this.#events.clear();
  }

  get isTripped(): boolean {
    const worksForSome = this.#results.filter(Boolean).length * 4 >= this.#results.length;
    return this.#count >= TRIP_AFTER && this.#events.size >= TRIP_EVENTS && !worksForSome;
  }

  /** The same while recovering: it has just been open, so fewer are enough. */
  get isTrippedAgain(): boolean {
    return this.#count >= REOPEN_AFTER;
  }

  #remember(isAnswer: boolean): void {
    this.#results = [...this.#results, isAnswer].slice(-REMEMBERED);
  }
}
