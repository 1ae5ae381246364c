/** What an entry carries about its failed tries, as CloudEvents extension attributes. */
const COUNTERS = ["attempts", "firstfailure", "lastfailure"];

export interface Failure {
  /** Tries used up so far. */
  readonly attempts: number;
  /** ISO 8601 */
  readonly at: string;
  readonly reason: string;
}

/**
 * The fields of an entry with its counters brought up to date: they travel with it through the retry set, so that nothing
 * has to be joined and nothing can expire.
 */
export const withFailure = (raw: readonly string[], failure: Failure): string[] => {
  const kept: string[] = [];
  let firstFailure = failure.at;
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] ?? "";
    const value = raw[index + 1] ?? "";
    if (name === "firstfailure") firstFailure = value;
    if (!COUNTERS.includes(name)) kept.push(name, value);
  }
  return [...kept, "attempts", String(failure.attempts), "firstfailure", firstFailure, "lastfailure", failure.reason];
};
