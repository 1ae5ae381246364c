import { outsideOfTraces } from "../observability/tracing.ts";

/**
 * Runs calls in batches: those that arrive while a batch is in flight share the next one. There is no timer, so a single
 * call runs at once.
 */
export interface Batcher<Input, Output> {
  /** Resolves with this call's own result; rejects if the batch that carried it failed, or with `QueueFull`. */
  add(input: Input): Promise<Output>;
  /** Resolves when no call is queued or in flight. */
  idle(): Promise<void>;
}

/** How inputs make batches. */
export interface BatchingOptions {
  /** Maximum inputs of one batch. */
  readonly maxBatch: number;
  /** Maximum batches in flight. */
  readonly maxInFlight: number;
  /**
   * Another batch begins beside those in flight only with so many inputs, and as many as are in flight; fewer wait for one of them to end.
   * 1 if not given, however many are in flight.
   */
  readonly besideFrom?: number;
  /** Maximum queued inputs; 4,096 if not given. */
  readonly maxWaiting?: number;
  /**
   * Begins a batch after the inputs that are to share it: `queueMicrotask` if not given, after those that one event has led to;
   * `setImmediate` after those of all events that the event loop has found at once.
   */
  readonly soon?: (begin: () => void) => void;
}

export interface BatcherOptions<Input, Output> extends BatchingOptions {
  /** Runs one batch; returns one result per input, in the order of the inputs. */
  readonly run: (inputs: readonly Input[]) => Promise<readonly Output[]>;
}

/** The same for inputs that learn of their results by themselves: without a promise for each. */
export interface Batches<Input> {
  /** @throws {QueueFull} */
  add(input: Input): void;
  /** Resolves when no input is queued or in flight. */
  idle(): Promise<void>;
}

export interface BatchesOptions<Input> extends BatchingOptions {
  /** Runs one batch, and settles its inputs. Never rejects. */
  readonly run: (inputs: readonly Input[]) => Promise<void>;
}

/** The queue is full: the store behind it is overloaded, or hangs. */
export class QueueFull extends Error {
  override readonly name = "QueueFull";
  /** SQLSTATE insufficient_resources: callers treat it like a database that is out of resources. */
  readonly code = "53000";

  constructor(maxWaiting: number) {
    super(`${maxWaiting} calls are queued already`);
  }
}

const MAX_WAITING = 4_096;

export const createBatches = <Input>(options: BatchesOptions<Input>): Batches<Input> => {
  const { maxBatch, maxInFlight, besideFrom, run, maxWaiting = MAX_WAITING, soon = queueMicrotask } = options;
  const waiting: Input[] = [];
  const idleWaiters: (() => void)[] = [];
  let inFlight = 0;
  let inputsInFlight = 0;
  let scheduled = false;

  const runBatch = async (batch: readonly Input[]) => {
    try {
      // A batch belongs to no single caller's trace.
      await outsideOfTraces(() => run(batch));
    } finally {
      inFlight -= 1;
      inputsInFlight -= batch.length;
      next();
    }
  };

  const mayBegin = (): boolean => {
    if (waiting.length === 0 || inFlight >= maxInFlight) return false;
    return inFlight === 0 || besideFrom === undefined || waiting.length >= Math.max(besideFrom, inputsInFlight);
  };

  const next = () => {
    while (mayBegin()) {
      const batch = waiting.splice(0, maxBatch);
      inFlight += 1;
      inputsInFlight += batch.length;
      void runBatch(batch);
    }
    if (inFlight === 0 && waiting.length === 0) for (const resolve of idleWaiters.splice(0)) resolve();
  };

  const begin = () => {
    scheduled = false;
    next();
  };

  return {
    add(input) {
      if (waiting.length >= maxWaiting) throw new QueueFull(maxWaiting);
      waiting.push(input);
      if (scheduled) return;
      scheduled = true;
      soon(begin);
    },
    idle: () =>
      inFlight === 0 && waiting.length === 0
        ? Promise.resolve()
        : new Promise((resolve) => {
            idleWaiters.push(resolve);
          }),
  };
};

interface Waiting<Input, Output> {
  readonly input: Input;
  readonly resolve: (output: Output) => void;
  readonly reject: (error: unknown) => void;
}

export const createBatcher = <Input, Output>(options: BatcherOptions<Input, Output>): Batcher<Input, Output> => {
  const run = async (batch: readonly Waiting<Input, Output>[]): Promise<void> => {
    try {
      const outputs = await options.run(batch.map((call) => call.input));
      if (outputs.length !== batch.length) {
        throw new Error(`a batch of ${batch.length} gave ${outputs.length} results`);
      }
      outputs.forEach((output, index) => {
        batch[index]?.resolve(output);
      });
    } catch (error) {
      for (const call of batch) call.reject(error);
    }
  };
  const batches = createBatches<Waiting<Input, Output>>({ ...options, run });
  return {
    add: (input) => new Promise((resolve, reject) => batches.add({ input, resolve, reject })),
    idle: () => batches.idle(),
  };
};
