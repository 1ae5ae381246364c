import { databaseFault } from "../../database/errors.ts";
import type { SignupWriter } from "../../database/users/signup.ts";
import { faultSince } from "../../runtime/loop.ts";
import { publishedFault } from "../../runtime/published-fault.ts";

/** One that is refused may have met somebody's lock; so long without one that is made is no accident. */
const SHOWN_AFTER_MS = 2_000;
/** Nobody has signed up since: it may be over. */
const FORGOTTEN_AFTER_MS = 60_000;

interface Refusals {
  readonly since: Date;
  readonly firstMs: number;
  lastMs: number;
  error: unknown;
}

export interface RefusedSignups {
  /** The writer, watched. */
  readonly writer: SignupWriter;
  /** Why none is made although Postgres answers, and since when, in words that anybody may read. Undefined while some are. */
  fault(): string | undefined;
}

/** Watches whether signups are written: a full disk, or a table that is locked, is seen by who writes alone. `now`: monotonic, ms. */
export const watchSignups = (signups: SignupWriter, now: () => number): RefusedSignups => {
  let refusals: Refusals | undefined;

  const note = (error: unknown): void => {
    if (databaseFault(error).kind === "bad-data") return;
    const at = now();
    if (refusals === undefined || at - refusals.lastMs > FORGOTTEN_AFTER_MS) {
      refusals = { since: new Date(), firstMs: at, lastMs: at, error };
    }
    refusals.lastMs = at;
    refusals.error = error;
  };

  return {
    writer: {
      ...signups,
      write: async (signup) => {
        try {
          const result = await signups.write(signup);
          refusals = undefined;
          return result;
        } catch (error) {
          note(error);
          throw error;
        }
      },
    },
    fault() {
      if (refusals === undefined || now() - refusals.lastMs > FORGOTTEN_AFTER_MS) return undefined;
      if (refusals.lastMs - refusals.firstMs < SHOWN_AFTER_MS) return undefined;
      return faultSince(publishedFault(refusals.error), refusals.since);
    },
  };
};
