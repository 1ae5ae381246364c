import { CRASHES } from "../../stream/entries.ts";

/** What an entry carries about its failed attempts, as CloudEvents extension attributes. An outcome forgets the crashes. */
const COUNTERS = ["attempts", "firstfailure", "lastfailure", CRASHES];

export interface Failure {
  /** Attempts used up so far. */
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

/** The fields of an entry that is delayed without an outcome: what it counts of dead consumers travels along. */
export const withCrashes = (raw: readonly string[], deliveries: number): string[] => {
  const kept: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    if (raw[index] !== CRASHES) kept.push(raw[index] ?? "", raw[index + 1] ?? "");
  }
  return deliveries > 1 ? [...kept, CRASHES, String(deliveries - 1)] : kept;
};
