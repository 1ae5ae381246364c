/** Bounds how much work runs at the same time. */
export interface WorkSlots {
  /** Runs the work when a slot is free, in order; without one as soon as the signal is aborted: then it only ends. */
  run(signal: AbortSignal, work: () => Promise<void>): Promise<void>;
}

export const createWorkSlots = (size: number): WorkSlots => {
  const waiting = new Set<() => void>();
  let taken = 0;

  /** False if the signal was aborted first. */
  const take = (signal: AbortSignal): Promise<boolean> | boolean => {
    if (signal.aborted) return false;
    if (taken < size) {
      taken += 1;
      return true;
    }
    return new Promise((resolve) => {
      const end = (hasSlot: boolean) => {
        waiting.delete(go);
        signal.removeEventListener("abort", giveUp);
        resolve(hasSlot);
      };
      const go = () => end(true);
      const giveUp = () => end(false);
      waiting.add(go);
      signal.addEventListener("abort", giveUp);
    });
  };

  /** A slot passes to the first that waits. */
  const free = (): void => {
    const [next] = waiting;
    if (next === undefined) taken -= 1;
    else next();
  };

  return {
    async run(signal, work) {
      const hasSlot = await take(signal);
      try {
        await work();
      } finally {
        if (hasSlot) free();
      }
    },
  };
};
