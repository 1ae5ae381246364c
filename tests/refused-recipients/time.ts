interface Timer {
  readonly at: number;
  readonly act: () => void;
  readonly everyMs: number | undefined;
}

/** Time that passes as fast as nothing happens in it; work takes none. */
export interface SimulatedTime extends Disposable {
  /** Monotonic, ms. */
  now(): number;
  /** Lets time pass until then, or until it is over. */
  pass(untilMs: number, isOver: () => boolean): Promise<void>;
}

/** Until it is disposed of, this process's timers and its monotonic clock are these. */
export const simulateTime = (): SimulatedTime => {
  const { setTimeout, setInterval, clearTimeout, clearInterval } = globalThis;
  const real = { setTimeout, setInterval, clearTimeout, clearInterval };
  const realNow = performance.now;
  let now = 0;
  let next = 1;
  const timers = new Map<number, Timer>();
  const start = (act: () => void, ms: number, everyMs?: number) => {
    const id = next++;
    timers.set(id, { at: now + Math.max(0, ms), act, everyMs });
    const handle = { unref: () => handle, ref: () => handle, [Symbol.toPrimitive]: () => id };
    return handle;
  };
  const end = (timer: unknown) => void timers.delete(Number(timer ?? 0));
  Object.assign(globalThis, {
    setTimeout: (act: () => void, ms = 0) => start(act, ms),
    setInterval: (act: () => void, ms = 1) => start(act, ms, Math.max(1, ms)),
    clearTimeout: end,
    clearInterval: end,
  });
  performance.now = () => now;

  const first = (): [number, Timer] | undefined => {
    let found: [number, Timer] | undefined;
    for (const one of timers) if (found === undefined || one[1].at < found[1].at) found = one;
    return found;
  };
  /** All that needs no time has happened. */
  const settled = () => new Promise<void>((resolve) => setImmediate(() => resolve()));

  return {
    now: () => now,
    async pass(untilMs, isOver) {
      await settled();
      while (!isOver()) {
        const [id, timer] = first() ?? [];
        if (id === undefined || timer === undefined || timer.at > untilMs) break;
        const { at, act, everyMs } = timer;
        now = Math.max(now, at);
        if (everyMs === undefined) timers.delete(id);
        else timers.set(id, { at: now + everyMs, act, everyMs });
        act();
        await settled();
      }
    },
    [Symbol.dispose]: () => {
      Object.assign(globalThis, real);
      performance.now = realNow;
    },
  };
};
