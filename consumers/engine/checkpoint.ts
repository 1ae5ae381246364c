/**
 * Steps that can be a process's last one: between any two of them it may die, and what the next process then sees is
 * written in the table beside the settler. A test passes in a function that stops there.
 */
export type Checkpoint =
  /** The entry is read and pending; the ledger knows nothing of it yet. */
  | "read"
  /** The ledger says `active`. */
  | "claimed"
  /** The attempt has an outcome (the effect may have taken place); it is written nowhere yet. */
  | "attempted"
  /** The ledger was away; the `sent:` key says that the work is done. */
  | "noted"
  /** The ledger has the outcome; the entry is still pending. */
  | "recorded"
  /** The entry is acked, delayed, dead-lettered or released. */
  | "moved";

/** Called at each step; does nothing in production. The step is over when its promise resolves. */
export type AtCheckpoint = (step: Checkpoint, eventId: string) => void | Promise<void>;

export const passCheckpoint: AtCheckpoint = () => {};
