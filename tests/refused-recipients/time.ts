interface Timer {
  readonly id: number;
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

const isBefore = (one: Timer, other: Timer): boolean => one.at < other.at || (one.at === other.at && one.id < other.id);

/** Timers, the next one first, in a binary heap; thousands of them wait for hours. */
const createQueue = () => {
  const heap: Timer[] = [];
  return {
    first: (): Timer | undefined => heap[0],
    add: (timer: Timer): void => {
      let at = heap.length;
      while (at > 0) {
        const above = (at - 1) >> 1;
        const parent = heap[above];
        if (parent === undefined || isBefore(parent, timer)) break;
        heap[at] = parent;
        at = above;
      }
      heap[at] = timer;
    },
    shift: (): void => {
      const last = heap.pop();
      if (last === undefined || heap.length === 0) return;
      let at = 0;
      for (;;) {
        let below = 2 * at + 1;
        let child = heap[below];
        const right = heap[below + 1];
        if (child !== undefined && right !== undefined && isBefore(right, child)) {
          below += 1;
          child = right;
        }
        if (child === undefined || isBefore(last, child)) break;
        heap[at] = child;
        at = below;
      }
      heap[at] = last;
    },
  };
};

/** Until it is disposed of, this process's timers and its monotonic clock are these. */
export const simulateTime = (): SimulatedTime => {
  const { setTimeout, setInterval, clearTimeout, clearInterval } = globalThis;
  const real = { setTimeout, setInterval, clearTimeout, clearInterval };
  const realNow = performance.now;
  let now = 0;
  let next = 1;
  const running = new Set<number>();
  const queue = createQueue();
  const start = (act: () => void, ms: number, everyMs?: number) => {
    const id = next++;
    running.add(id);
    queue.add({ id, at: now + Math.max(0, ms), act, everyMs });
    const handle = { unref: () => handle, ref: () => handle, [Symbol.toPrimitive]: () => id };
    return handle;
  };
  const end = (timer: unknown) => void running.delete(Number(timer ?? 0));
  Object.assign(globalThis, {
    setTimeout: (act: () => void, ms = 0) => start(act, ms),
    setInterval: (act: () => void, ms = 1) => start(act, ms, Math.max(1, ms)),
    clearTimeout: end,
    clearInterval: end,
  });
  performance.now = () => now;

  const first = (): Timer | undefined => {
    for (let timer = queue.first(); timer !== undefined; timer = queue.first()) {
      if (running.has(timer.id)) return timer;
      queue.shift();
    }
    return undefined;
  };
  /** All that needs no time has happened. */
  const settled = () => new Promise<void>((resolve) => setImmediate(() => resolve()));

  return {
    now: () => now,
    async pass(untilMs, isOver) {
      await settled();
      while (!isOver()) {
        const timer = first();
        if (timer === undefined || timer.at > untilMs) break;
        const { id, at, act, everyMs } = timer;
        now = Math.max(now, at);
        queue.shift();
        if (everyMs === undefined) running.delete(id);
        else queue.add({ ...timer, at: now + everyMs });
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
