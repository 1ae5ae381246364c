import { createHashWorker, type HashJob, type HashResult, type HashWorker } from "./worker.ts";

/** Hashes passwords off the event loop and off Bun's shared thread pool, first come, first served. */
export interface PasswordHasher {
  /**
   * argon2id as a PHC string. A caller whose signal is aborted leaves the queue, and nothing is hashed for it.
   *
   * @throws {HashQueueFull} if 1,024 are waiting
   */
  hash(password: string, signal?: AbortSignal): Promise<string>;
  /** Whether a password matches a PHC string. Waits in the same queue, and throws as `hash` does. */
  verify(password: string, hash: string, signal?: AbortSignal): Promise<boolean>;
  /** The length of the queue. */
  waiting(): number;
  /** Ends the workers and rejects what is still queued. */
  close(): void;
}

export interface PasswordHasherOptions {
  /** Workers, and so hashes at a time. */
  readonly concurrency: number;
  readonly memoryKib: number;
  readonly passes: number;
  /** Starts a worker; tests pass one that dies. */
  readonly startWorker?: () => HashWorker;
}

/** The queue of passwords to hash is full. The caller should retry after about `retryAfterMs`. */
export class HashQueueFull extends Error {
  override readonly name = "HashQueueFull";
  readonly retryAfterMs: number;

  constructor(retryAfterMs: number) {
    super("the queue of passwords to hash is full");
    this.retryAfterMs = retryAfterMs;
  }
}

/** Behind so many a caller would wait for seconds: better to be refused at once. */
export const MAX_WAITING = 1_024;

interface Waiting {
  readonly job: HashJob;
  readonly resolve: (result: HashResult) => void;
  readonly reject: (error: unknown) => void;
}

const FIRST_GUESS_MS = 50;
/** Weight of the newest batch in the moving average of a job's time. */
const SMOOTHING = 0.2;
/** A message to a thread costs as much as a cheap hash: the cheap ones of tests are sent in batches, real ones alone. */
const BATCH_MS = 2;
const MAX_BATCH = 64;

/** How many jobs to send to a worker at once: a fair share of the queue, and no more than `BATCH_MS` of work. */
export const batchSize = (jobMs: number, waiting: number, concurrency: number): number =>
  Math.max(1, Math.min(MAX_BATCH, Math.floor(BATCH_MS / jobMs), Math.ceil(waiting / concurrency)));

export const createPasswordHasher = (options: PasswordHasherOptions): PasswordHasher => {
  const { concurrency, memoryKib, passes, startWorker = createHashWorker } = options;
  // A set keeps the order of arrival, and removes from the middle at no cost.
  const queue = new Set<Waiting>();
  const workers = new Set<HashWorker>();
  const idle: HashWorker[] = [];
  let running = 0;
  let jobMs = FIRST_GUESS_MS;
  let isClosed = false;
  let isScheduled = false;

  const takeWorker = (): HashWorker => {
    const known = idle.pop();
    if (known?.isAlive() === true) return known;
    if (known !== undefined) workers.delete(known);
    const worker = startWorker();
    workers.add(worker);
    return worker;
  };

  const work = async (batch: readonly Waiting[]): Promise<void> => {
    const startedAt = performance.now();
    let worker: HashWorker | undefined;
    try {
      worker = takeWorker();
      const results = await worker.run(batch.map((waiting) => waiting.job));
      jobMs += SMOOTHING * ((performance.now() - startedAt) / batch.length - jobMs);
      for (const [index, result] of results.entries()) batch[index]?.resolve(result);
    } catch (error) {
      for (const waiting of batch) waiting.reject(error);
    } finally {
      running -= 1;
      // A dead worker is replaced only when the next job arrives: one that cannot start is not restarted in a loop.
      if (worker?.isAlive() === true) idle.push(worker);
      else if (worker !== undefined) workers.delete(worker);
      next();
    }
  };

  const next = (): void => {
    while (running < concurrency && queue.size > 0) {
      const batch = [...queue.values().take(batchSize(jobMs, queue.size, concurrency))];
      for (const waiting of batch) queue.delete(waiting);
      running += 1;
      void work(batch);
    }
  };

  /** Cheap jobs of one turn of the event loop share a message. */
  const schedule = (): void => {
    if (isScheduled) return;
    if (jobMs > BATCH_MS) {
      next();
      return;
    }
    isScheduled = true;
    setImmediate(() => {
      isScheduled = false;
      next();
    });
  };

  const run = (job: HashJob, signal?: AbortSignal): Promise<HashResult> => {
    if (isClosed) return Promise.reject(new Error("the password hasher is closed"));
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    if (queue.size >= MAX_WAITING) return Promise.reject(new HashQueueFull((queue.size * jobMs) / concurrency));
    const { promise, resolve, reject } = Promise.withResolvers<HashResult>();
    const waiting: Waiting = { job, resolve, reject };
    const leave = () => {
      if (queue.delete(waiting)) reject(signal?.reason);
    };
    signal?.addEventListener("abort", leave);
    queue.add(waiting);
    schedule();
    return signal === undefined ? promise : promise.finally(() => signal.removeEventListener("abort", leave));
  };

  const failed = (result: HashResult): Error =>
    new Error(`argon2id failed: ${result.kind === "failed" ? result.message : `the worker answered ${result.kind}`}`);

  return {
    hash: async (password, signal) => {
      const result = await run({ kind: "hash", password, memoryKib, passes }, signal);
      if (result.kind !== "hash") throw failed(result);
      return result.hash;
    },
    verify: async (password, hash, signal) => {
      const result = await run({ kind: "verify", password, hash }, signal);
      if (result.kind !== "verify") throw failed(result);
      return result.matches;
    },
    waiting: () => queue.size,
    close: () => {
      isClosed = true;
      for (const waiting of queue) waiting.reject(new Error("the password hasher is closed"));
      queue.clear();
      for (const worker of workers) worker.end();
      workers.clear();
    },
  };
};
