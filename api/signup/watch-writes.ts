import { codeOf, isSqlState } from "../../database/errors.ts";
import type { SignupWriter } from "../../database/users/signup.ts";
import { publishedFault } from "../../runtime/published-fault.ts";
import type { WriteRefusal } from "../../runtime/situation/facts.ts";

/** For so long a refusal is told of, unless a signup succeeds: by then nobody knows. */
const TOLD_FOR_MS = 60_000;
/** SQLSTATE of what is said instead of an answer: who asks whether Postgres is there finds out. */
const NO_ANSWER = /^(08|28|533|57P)/;
/** unique_violation: another signup was faster. */
const TAKEN = "23505";
/** One signup may have met somebody's lock, or another one's, or have a text that is not taken; so long without one that is made is no accident. */
const ACCIDENTS = /^(57014|55P03|40|22)/;
const ACCIDENT_MS = 2_000;

/**
 * Whether Postgres answers, and refuses what is not the signup's own: its disk is full, it is read-only, a right or a table is missing, a constraint
 * is not ours.
 */
const isRefusal = (error: unknown): boolean => {
  const code = codeOf(error);
  return isSqlState(code) && !NO_ANSWER.test(code) && code !== TAKEN;
};

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
    if (!isRefusal(error)) return;
    const at = now();
    isAccident = ACCIDENTS.test(codeOf(error));
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
