/** The line before the password hashes is full. The caller should come back after about `retryAfterMs`. */
export class HashQueueFull extends Error {
  override readonly name = "HashQueueFull";
  readonly retryAfterMs: number;

  constructor(retryAfterMs: number) {
    super("the line before the password hashes is full");
    this.retryAfterMs = retryAfterMs;
  }
}
