/** A row that waits to be written. */
export class WaitingRow<Row, Result> {
  readonly row: Row;
  /** Monotonic, ms. */
  readonly since = performance.now();
  readonly #resolvers = Promise.withResolvers<Result>();
  isOpen = true;

  constructor(row: Row) {
    this.row = row;
  }

  get result(): Promise<Result> {
    return this.#resolvers.promise;
  }

  resolve(result: Result): void {
    this.isOpen = false;
    this.#resolvers.resolve(result);
  }

  reject(error: unknown): void {
    this.isOpen = false;
    this.#resolvers.reject(error);
  }
}
