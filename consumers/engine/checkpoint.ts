/**
 * Steps after which a process may die; the table in settler.ts lists what the next owner then finds. A test passes in a
 * function that stops there.
 */
export type Checkpoint =
  /** The entry is read and pending; the ledger is unchanged. */
  | "read"
  /** The ledger has it as `active`. */
  | "claimed"
  /** The attempt has an outcome (the effect may have taken place), not recorded yet. */
  | "attempted"
  /** The ledger was unavailable; the `sent:` key notes that the work is done. */
  | "noted"
  /** The ledger has the outcome; the entry is still pending. */
  | "recorded"
  /** The entry is acked, delayed, dead-lettered or released. */
  | "moved";

/** Called at each step; does nothing in production. The process continues when its promise resolves. */
export type AtCheckpoint = (step: Checkpoint, eventId: string) => void | Promise<void>;

export const passCheckpoint: AtCheckpoint = () => {};
