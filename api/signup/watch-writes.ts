import { codeOf, isSqlState } from "../../database/errors.ts";
import type { SignupWriter } from "../../database/users/signup.ts";
import { publishedFault } from "../../runtime/published-fault.ts";
import type { WriteRefusal } from "../../runtime/situation/facts.ts";

/** For so long a refusal is told of, unless a signup succeeds: by then nobody knows. */
const TOLD_FOR_MS = 60_000;
/** SQLSTATE of what Postgres refuses to write though it answers: its disk or memory is full, it is read-only, or it gave up on a lock. */
const REFUSALS = /^(53[12]|25006|57014|55P03)/;
/** One signup may have met somebody's lock; so long without one that is made is no accident. */
const ACCIDENTS = /^(57014|55P03)/;
const ACCIDENT_MS = 2_000;

/** A signups' writer, and what Postgres refuses its writes with. */
export interface WatchedWriter {
  readonly signups: SignupWriter;
  /** Undefined: the last write succeeded, or none was refused lately. */
  refusal(): WriteRefusal | undefined;
}

/** Remembers why signups are refused: a Postgres whose disk is full answers every question. */
export const watchWrites = (signups: SignupWriter, now: () => Date): WatchedWriter => {
  let refusal: WriteRefusal | undefined;
  let isAccident = false;
  const note = (error: unknown): void => {
    const code = codeOf(error);
    if (!isSqlState(code) || !REFUSALS.test(code)) return;
    const at = now();
    isAccident = ACCIDENTS.test(code);
    refusal = { fault: publishedFault(error), since: refusal?.since ?? at, at };
  };
  const noteWritten = (): void => {
    refusal = undefined;
  };
  return {
    signups: {
      ...signups,
      write(signup) {
        const written = signups.write(signup);
        written.then(noteWritten, note);
        return written;
      },
    },
    refusal() {
      if (refusal === undefined) return undefined;
      if (now().getTime() - refusal.at.getTime() > TOLD_FOR_MS) refusal = undefined;
      const lastedMs = refusal === undefined ? 0 : refusal.at.getTime() - refusal.since.getTime();
      return isAccident && lastedMs < ACCIDENT_MS ? undefined : refusal;
    },
  };
};
