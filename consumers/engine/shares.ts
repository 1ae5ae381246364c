/** How many entries to read from each stream of a group. */
export interface Shares {
  /** Due retries, and what was brought back: redriven, released, reconciled. */
  readonly retries: number;
  /** New entries. */
  readonly events: number;
}

/** What one turn has read. */
export interface Taken {
  /** Entries of dead consumers. */
  readonly claimed: number;
  readonly retries: number;
  readonly events: number;
  /** Whether the stream may have more: it returned as many as were asked for, or was not asked. */
  readonly mayHaveRetries: boolean;
  readonly mayHaveEvents: boolean;
}

/**
 * Divides room between retries and new entries, so that of everything that is read new entries are half. Pure.
 *
 * `behind`: by how many entries the new ones are behind half; less than 0: ahead. What a stream does not use is the other's.
 *
 * | room | behind | retries | events |
 * | ---- | ------ | ------- | ------ |
 * | 10   | 0      | 5       | 5      |
 * | 10   | 4      | 3       | 7      |
 * | 1    | 0      | 0       | 1      |
 * | 1    | -1     | 1       | 0      |
 */
export const sharesOf = (room: number, behind: number): Shares => {
  const events = Math.min(room, Math.max(0, Math.ceil((room + behind) / 2)));
  return { retries: room - events, events };
};

/**
 * By how many entries the new ones are behind after a turn. Pure. Nobody is owed what it had no use for: while there are no
 * new entries they fall behind by nothing, and while there are no retries new ones get ahead by nothing.
 *
 * `most`: the most that is owed, in entries.
 */
export const behindAfter = (behind: number, taken: Taken, most: number): number => {
  if (!taken.mayHaveEvents) return 0;
  const now = behind + taken.claimed + taken.retries - taken.events;
  return Math.min(most, Math.max(taken.mayHaveRetries ? -most : 0, now));
};
