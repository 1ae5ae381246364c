/** A row that waits to be written. */
export class WaitingRow<Row, Result> {
  readonly row: Row;
  /** Monotonic, ms. */
  readonly since = performance.now();
  readonly #resolve: (result: Result) => void;
  readonly #reject: (error: unknown) => void;
  isOpen = true;
  /** It has a result. */
  isWritten = false;

  constructor(row: Row, resolve: (result: Result) => void, reject: (error: unknown) => void) {
    this.row = row;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  resolve(result: Result): void {
    this.isOpen = false;
    this.isWritten = true;
    this.#resolve(result);
  }

  reject(error: unknown): void {
    this.isOpen = false;
    this.#reject(error);
  }
}
