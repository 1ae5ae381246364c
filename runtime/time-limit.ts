/** A wait that has not ended. */
export interface LimitedWait {
  readonly dueAt: number;
  readonly onOver: () => void;
}

/** The same time limit for many waits at once, most of which end long before: one timer for all of them. */
export interface TimeLimit {
  /** `onOver` is called after the time, unless the wait has ended. */
  begin(onOver: () => void): LimitedWait;
  end(wait: LimitedWait): void;
}

/** `now`: monotonic, in ms. The timer alone does not keep the process alive. */
export const createTimeLimit = (ms: number, now: () => number = () => performance.now()): TimeLimit => {
  // All last equally long: the first that began is the first that is over.
  const waits = new Set<LimitedWait>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  const watch = (wait: LimitedWait): void => {
    timer = setTimeout(look, Math.max(1, wait.dueAt - now()));
    timer.unref();
  };

  const look = (): void => {
    timer = undefined;
    const over: LimitedWait[] = [];
    for (const wait of waits) {
      if (wait.dueAt > now()) break;
      over.push(wait);
    }
    for (const wait of over) waits.delete(wait);
    const [next] = waits;
    if (next !== undefined) watch(next);
    for (const wait of over) wait.onOver();
  };

  return {
    begin(onOver) {
      const wait = { dueAt: now() + ms, onOver };
      waits.add(wait);
      if (timer === undefined) watch(wait);
      return wait;
    },
    end: (wait) => void waits.delete(wait),
  };
};
