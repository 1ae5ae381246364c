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

/** Timers, the next one first; thousands of them wait for hours. */
const createQueue = () => {
  const heap: Timer[] = [];
  const swap = (one: number, other: number): void => {
    const [first, second] = [heap[one], heap[other]];
    if (first === undefined || second === undefined) return;
    heap[one] = second;
    heap[other] = first;
  };
  const isBeforeAt = (one: number, other: number): boolean => {
    const [first, second] = [heap[one], heap[other]];
    return first !== undefined && second !== undefined && isBefore(first, second);
  };
  return {
    first: (): Timer | undefined => heap[0],
    add: (timer: Timer): void => {
      let at = heap.push(timer) - 1;
      for (let above = (at - 1) >> 1; at > 0 && isBeforeAt(at, above); above = (at - 1) >> 1) {
        swap(at, above);
        at = above;
      }
    },
    shift: (): void => {
      swap(0, heap.length - 1);
      heap.pop();
      for (let at = 0; ; ) {
        const [left, right] = [2 * at + 1, 2 * at + 2];
        const below = isBeforeAt(right, left) ? right : left;
        if (!isBeforeAt(below, at)) return;
        swap(at, below);
        at = below;
      }
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
