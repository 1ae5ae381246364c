import { CRASHES } from "../../stream/entries.ts";

/** What an entry carries about its failed attempts, as CloudEvents extension attributes. An outcome resets `crashes`. */
const COUNTERS = ["attempts", "firstfailure", "lastfailure", CRASHES];

export interface Failure {
  /** Attempts used up so far. */
  readonly attempts: number;
  /** ISO 8601 */
  readonly at: string;
  readonly reason: string;
}

/**
 * The fields of an entry with updated counters. They are part of the entry in the retry set, so that they need no look-up
 * and do not expire.
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

/** The fields of an entry that is delayed without an outcome: it keeps its count of dead consumers. */
export const withCrashes = (raw: readonly string[], deliveries: number): string[] => {
  const kept: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    if (raw[index] !== CRASHES) kept.push(raw[index] ?? "", raw[index + 1] ?? "");
  }
  return deliveries > 1 ? [...kept, CRASHES, String(deliveries - 1)] : kept;
};
