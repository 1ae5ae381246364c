import { HashQueueFull } from "./hash-queue-full.ts";
import { createHashWorker, type HashWorker } from "./hash-worker.ts";
import type { HashJob, HashResult } from "./password-job.ts";

/** Hashes passwords off the event loop and off Bun's shared thread pool, first come, first served. */
export interface PasswordHasher {
  /**
   * argon2id as a PHC string. A caller whose signal is aborted leaves the line unhashed.
   *
   * @throws {HashQueueFull} if 1,024 are waiting
   */
  hash(password: string, signal?: AbortSignal): Promise<string>;
  /** Whether a password belongs to a PHC string. Waits in the same line, and throws as `hash` does. */
  verify(password: string, hash: string, signal?: AbortSignal): Promise<boolean>;
  /** How many wait in line now. */
  waiting(): number;
  /** Ends the workers and rejects what waits. */
  close(): void;
}

export interface PasswordHasherOptions {
  /** Workers, and so hashes at a time. */
  readonly concurrency: number;
  readonly memoryKib: number;
  readonly passes: number;
  /** Starts a worker; tests give one that dies. */
  readonly startWorker?: () => HashWorker;
}

/** Beyond it a caller would wait for seconds: better told to come back. */
export const MAX_WAITING = 1_024;

interface Waiting {
  readonly job: HashJob;
  readonly resolve: (result: HashResult) => void;
  readonly reject: (error: unknown) => void;
}

const FIRST_GUESS_MS = 50;
/** Weight of the newest parcel in the running average of a job's time. */
const SMOOTHING = 0.2;
/** A message to a thread costs as much as a cheap hash: jobs that take no time travel together, real ones alone. */
const PARCEL_MS = 2;
const MAX_PARCEL = 64;

/** How many jobs to send to a worker at once: a fair share of the line, no more than a parcel's time. */
export const parcelSize = (jobMs: number, waiting: number, concurrency: number): number =>
  Math.max(1, Math.min(MAX_PARCEL, Math.floor(PARCEL_MS / jobMs), Math.ceil(waiting / concurrency)));

export const createPasswordHasher = (options: PasswordHasherOptions): PasswordHasher => {
  const { concurrency, memoryKib, passes, startWorker = createHashWorker } = options;
  // A set keeps the order of arrival, and lets anyone leave from the middle at no cost.
  const line = new Set<Waiting>();
  const workers = new Set<HashWorker>();
  const idle: HashWorker[] = [];
  let running = 0;
  let jobMs = FIRST_GUESS_MS;
  let isClosed = false;

  const takeWorker = (): HashWorker => {
    const known = idle.pop();
    if (known?.isAlive() === true) return known;
    if (known !== undefined) workers.delete(known);
    const worker = startWorker();
    workers.add(worker);
    return worker;
  };

  const work = async (parcel: readonly Waiting[]): Promise<void> => {
    const startedAt = performance.now();
    let worker: HashWorker | undefined;
    try {
      worker = takeWorker();
      const results = await worker.run(parcel.map((waiting) => waiting.job));
      jobMs += SMOOTHING * ((performance.now() - startedAt) / parcel.length - jobMs);
      for (const [index, result] of results.entries()) parcel[index]?.resolve(result);
    } catch (error) {
      for (const waiting of parcel) waiting.reject(error);
    } finally {
      running -= 1;
      // One that died is replaced when the next job comes: a worker that cannot start does not start for ever.
      if (worker?.isAlive() === true) idle.push(worker);
      else if (worker !== undefined) workers.delete(worker);
      next();
    }
  };

  const next = (): void => {
    while (running < concurrency && line.size > 0) {
      const parcel = [...line.values().take(parcelSize(jobMs, line.size, concurrency))];
      for (const waiting of parcel) line.delete(waiting);
      running += 1;
      void work(parcel);
    }
  };

  const run = (job: HashJob, signal?: AbortSignal): Promise<HashResult> => {
    if (isClosed) return Promise.reject(new Error("the password hasher is closed"));
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    if (line.size >= MAX_WAITING) return Promise.reject(new HashQueueFull((line.size * jobMs) / concurrency));
    const { promise, resolve, reject } = Promise.withResolvers<HashResult>();
    const waiting: Waiting = { job, resolve, reject };
    const leave = () => {
      if (line.delete(waiting)) reject(signal?.reason);
    };
    signal?.addEventListener("abort", leave);
    line.add(waiting);
    next();
    return signal === undefined ? promise : promise.finally(() => signal.removeEventListener("abort", leave));
  };

  const failed = (result: HashResult): Error =>
    new Error(`argon2id failed: ${result.kind === "failed" ? result.message : `it answered ${result.kind}`}`);

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
    waiting: () => line.size,
    close: () => {
      isClosed = true;
      for (const waiting of line) waiting.reject(new Error("the password hasher is closed"));
      line.clear();
      for (const worker of workers) worker.end();
      workers.clear();
    },
  };
};
