type Truthy<T> = Exclude<T, false | undefined | null | 0>;

const isTruthy = <T>(value: T): value is Truthy<T> =>
  value !== false && value !== undefined && value !== null && value !== 0;

/** Asked again after a fifth of the time that it has waited, within these bounds in ms: a long wait costs few questions. */
const SOONEST_MS = 5;
const LATEST_MS = 100;

/** On a machine that has twenty times as much to do as it can, what takes a second takes half a minute. */
const TIMEOUT_MS = 60_000;

/** Resolves with the condition's value soon after it is true; fails after `timeoutMs`. */
export const eventually = async <T>(condition: () => Promise<T> | T, timeoutMs = TIMEOUT_MS): Promise<Truthy<T>> => {
  const startedAt = performance.now();
  for (;;) {
    const value = await condition();
    if (isTruthy(value)) return value;
    const waitedMs = performance.now() - startedAt;
    if (waitedMs > timeoutMs) throw new Error(`not within ${timeoutMs} ms: ${condition}`);
    await Bun.sleep(Math.min(LATEST_MS, Math.max(SOONEST_MS, waitedMs / 5)));
  }
};
