import type { Considered } from "./considered.ts";
import type { LeftReason, TakenOutcome } from "./decide.ts";

/** A message that stands for others of its kind. Nothing personal. */
export interface Example {
  readonly became: TakenOutcome | LeftReason;
  readonly taskId: string | null;
  readonly task: string | null;
  /** `queue`, `queue priority 6`, `unacked` */
  readonly from: string;
  readonly eventId: string | null;
}

/** What became of messages, or would. */
export interface ImportCounts {
  readonly taken: Partial<Record<TakenOutcome, number>>;
  /** Where they are. */
  readonly left: Partial<Record<LeftReason, number>>;
  readonly usersMade: number;
  /** The first of each kind. */
  readonly examples: readonly Example[];
}

export interface Tally {
  take(considered: Considered, outcome: TakenOutcome, madeUser?: boolean): void;
  leave(considered: Considered, reason: LeftReason): void;
  /** The next pass sees again what was left. */
  forgetLeft(): void;
  counts(): ImportCounts;
  /** Messages that were taken so far. */
  total(): number;
}

const fromOf = ({ found: { place } }: Considered): string =>
  place.kind === "unacked" ? "unacked" : `queue${place.priority === 0 ? "" : ` priority ${place.priority}`}`;

/** Counts, and keeps the first `most` of each kind. */
export const createTally = (most: number): Tally => {
  const taken = new Map<TakenOutcome, number>();
  const left = new Map<LeftReason, number>();
  const examples: { readonly isLeft: boolean; readonly example: Example }[] = [];
  let usersMade = 0;

  const note = (considered: Considered, became: Example["became"], seen: number, isLeft: boolean): void => {
    if (seen >= most) return;
    const { decoded, candidate } = considered;
    const { id, name } = decoded.kind === "task" ? decoded.task : decoded;
    const eventId = isLeft ? null : (candidate?.eventId ?? null);
    examples.push({
      isLeft,
      example: { became, taskId: id ?? null, task: name ?? null, from: fromOf(considered), eventId },
    });
  };

  return {
    take(considered, outcome, madeUser = false) {
      const seen = taken.get(outcome) ?? 0;
      note(considered, outcome, seen, false);
      taken.set(outcome, seen + 1);
      if (madeUser) usersMade += 1;
    },
    leave(considered, reason) {
      const seen = left.get(reason) ?? 0;
      note(considered, reason, seen, true);
      left.set(reason, seen + 1);
    },
    forgetLeft() {
      left.clear();
      examples.splice(0, examples.length, ...examples.filter(({ isLeft }) => !isLeft));
    },
    counts: () => ({
      taken: Object.fromEntries(taken),
      left: Object.fromEntries(left),
      usersMade,
      examples: examples.map(({ example }) => example),
    }),
    total: () => [...taken.values()].reduce((sum, count) => sum + count, 0),
  };
};
