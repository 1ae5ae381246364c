import type { AtCheckpoint, Checkpoint } from "../consumers/engine/checkpoint.ts";

/**
 * A checkpoint at which the process stops for ever, and a promise that resolves when it gets there. `worked`: only with an event whose
 * work took place: a busy machine may lose the lease before, and what is released untried passes the same steps, and comes again.
 */
export const stopAt = (
  step: Checkpoint,
  worked?: readonly string[],
): { readonly at: AtCheckpoint; readonly reached: Promise<string> } => {
  const { promise: reached, resolve } = Promise.withResolvers<string>();
  return {
    reached,
    at: (passed, eventId) => {
      if (passed !== step || worked?.includes(eventId) === false) return;
      resolve(eventId);
      return new Promise<void>(() => {});
    },
  };
};
