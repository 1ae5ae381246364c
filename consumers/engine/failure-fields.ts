import { CRASHES, fieldOf } from "../../stream/entries.ts";

/** How often an entry was passed over since its last attempt. */
const PASSES = "passes";

/** How often in a row an attempt of an entry did not reach the other system. */
const UNREACHED = "unreached";

/**
 * When the piece was asked for that was declined for now, since when everything was, if it was, and when it was due by itself before it was
 * hastened, in ms since 1970.
 */
const DECLINED = "declined";
const DECLINED_SINCE = "declinedsince";
const DUE = "due";

/** What an entry carries about its failed attempts, as CloudEvents extension attributes. An outcome resets `crashes`. */
const COUNTERS = ["attempts", "firstfailure", "lastfailure", CRASHES, PASSES, UNREACHED, DECLINED, DECLINED_SINCE, DUE];

export interface Failure {
  /** Attempts used up so far. */
  readonly attempts: number;
  /** ISO 8601 */
  readonly at: string;
  readonly reason: string;
}

const without = (raw: readonly string[], names: readonly string[]): string[] => {
  const kept: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] ?? "";
    if (!names.includes(name)) kept.push(name, raw[index + 1] ?? "");
  }
  return kept;
};

/**
 * The fields of an entry with updated counters. They are part of the entry in the retry set, so that they need no look-up
 * and do not expire.
 */
export const withFailure = (raw: readonly string[], failure: Failure): string[] => {
  const firstFailure = fieldOf(raw, "firstfailure") ?? failure.at;
  const kept = without(raw, COUNTERS);
  return [...kept, "attempts", String(failure.attempts), "firstfailure", firstFailure, "lastfailure", failure.reason];
};

/**
 * The same of one that was asked for at a time (ms), and declined for now, as everything has been `since` (ms), if it is not 0; it stays due as
 * it was before it was hastened.
 */
export const withDecline = (
  raw: readonly string[],
  failure: Failure,
  { askedAtMs, since }: { readonly askedAtMs: number; readonly since: number },
): string[] => {
  const due = dueOf(raw) > askedAtMs ? [DUE, String(dueOf(raw))] : [];
  const everything = since > 0 ? [DECLINED_SINCE, String(since)] : [];
  return [...withFailure(raw, failure), DECLINED, String(askedAtMs), ...everything, ...due];
};

/** The fields of an entry that is hastened, and was due at `dueMs`. */
export const withDue = (raw: readonly string[], dueMs: number): string[] =>
  dueOf(raw) > 0 ? [...raw] : [...raw, DUE, String(Math.ceil(dueMs))];

/** The fields of an entry that is delayed without an outcome: it keeps its count of dead consumers. */
export const withCrashes = (raw: readonly string[], deliveries: number): string[] => {
  const kept = without(raw, [CRASHES]);
  return deliveries > 1 ? [...kept, CRASHES, String(deliveries - 1)] : kept;
};

/** The fields of an entry that lived through its consumer and was not attempted, as its party waits: it is not hastened. */
export const withoutAnAttempt = (raw: readonly string[]): string[] => without(raw, [CRASHES, DECLINED, DECLINED_SINCE]);

/** The fields of an entry that is passed over: it is delayed without an outcome. */
export const withPass = (raw: readonly string[], deliveries: number): string[] => {
  const kept = withCrashes(raw, deliveries);
  const at = kept.findIndex((name, index) => index % 2 === 0 && name === PASSES);
  return at < 0 ? [...kept, PASSES, "1"] : kept.with(at + 1, String(passesOf(raw) + 1));
};

/** The fields of an entry whose attempt at `at` (ISO 8601) did not reach the other system: it was not tried by that. */
export const withUnreached = (raw: readonly string[], at: string): string[] => {
  const kept = without(raw, [CRASHES, PASSES, UNREACHED]);
  const since = fieldOf(raw, "firstfailure") === undefined ? ["firstfailure", at] : [];
  return [...kept, ...since, UNREACHED, String(unreachedOf(raw) + 1)];
};

const countOf = (raw: readonly string[] | undefined, name: string): number => {
  const count = Number(fieldOf(raw, name) ?? 0);
  return Number.isInteger(count) && count > 0 ? count : 0;
};

export const passesOf = (raw: readonly string[] | undefined): number => countOf(raw, PASSES);

export const unreachedOf = (raw: readonly string[] | undefined): number => countOf(raw, UNREACHED);

/** When it was asked for, and declined for now, in ms since 1970; 0: it was not. */
export const declinedAtOf = (raw: readonly string[] | undefined): number => countOf(raw, DECLINED);

/** Since when everything was declined, as it was, in ms since 1970; 0: it was not, as far as was known. */
export const declinedSinceOf = (raw: readonly string[] | undefined): number => countOf(raw, DECLINED_SINCE);

/** When it was due before it was hastened, in ms since 1970; 0: it was not. */
export const dueOf = (raw: readonly string[] | undefined): number => countOf(raw, DUE);

/** Whether an attempt of the entry's work has failed. */
export const wasTried = (raw: readonly string[] | undefined): boolean => fieldOf(raw, "lastfailure") !== undefined;
