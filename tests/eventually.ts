type Truthy<T> = Exclude<T, false | undefined | null | 0>;

const isTruthy = <T>(value: T): value is Truthy<T> =>
  value !== false && value !== undefined && value !== null && value !== 0;

/** Resolves with the condition's value as soon as it is true; fails after `timeoutMs`. */
export const eventually = async <T>(condition: () => Promise<T> | T, timeoutMs = 10_000): Promise<Truthy<T>> => {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (isTruthy(value)) return value;
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${condition}`);
    await Bun.sleep(25);
  }
};
