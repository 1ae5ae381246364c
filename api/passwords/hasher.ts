import { createFairQueue } from "./fair-queue.ts";
import { createOthers } from "./others.ts";
import { createHashWorker, type HashJob, type HashResult, type HashWorker } from "./worker.ts";

/** For whom a password is hashed. */
export interface HashCaller {
  /** Those of one client wait for each other, and clients take turns. All that name none are one. */
  readonly client?: string;
  /** A caller whose signal is aborted leaves the queue, and nothing is hashed for it. */
  readonly signal?: AbortSignal;
}

/** Hashes passwords off the event loop and off Bun's shared thread pool, for one client after the other. */
export interface PasswordHasher {
  /**
   * argon2id as a PHC string.
   *
   * @throws {HashQueueFull} if more than 2 s of work are waiting, and no client has more of it than this one; or later, when it has
   *   to make room for a client that has less
   */
  hash(password: string, caller?: HashCaller): Promise<string>;
  /** Whether a password matches a PHC string. Waits in the same queue, and throws as `hash` does. */
  verify(password: string, hash: string, caller?: HashCaller): Promise<boolean>;
  /** The length of the queue. */
  waiting(): number;
  /** Starts the workers and measures what a hash costs here. Never rejects: a signup reports what is wrong. */
  warmUp(): Promise<void>;
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
  /** Called when a password leaves the queue to be hashed, with the time that it has waited. */
  readonly onStart?: (waitedMs: number) => void;
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

/** What is waiting at most, whatever a hash costs. */
export const MAX_WAITING = 1_024;
/** Behind more work a caller would wait too long: better to be refused at once. */
const MAX_WAIT_MS = 2_000;

/** For so long after others have asked, no client has all workers: the next one that comes need not wait for the end of a hash. */
const SPARE_FOR_MS = 10_000;

/** How many may wait, so that the last of them waits no longer than 2 s. `jobMs`: undefined before the first job has ended. */
export const roomFor = (jobMs: number | undefined, concurrency: number): number =>
  jobMs === undefined
    ? MAX_WAITING
    : Math.min(MAX_WAITING, Math.max(concurrency, Math.floor((MAX_WAIT_MS * concurrency) / jobMs)));

interface Waiting {
  readonly job: HashJob;
  readonly client: string;
  readonly since: number;
  readonly resolve: (result: HashResult) => void;
  readonly reject: (error: unknown) => void;
}

const FIRST_GUESS_MS = 50;
/** Weight of the newest job in the moving average of their time. */
const SMOOTHING = 0.2;

/** The error of a job that has not the result that was asked for. */
export const failedHash = (result: HashResult): Error =>
  new Error(`argon2id failed: ${result.kind === "failed" ? result.message : `the answer is a ${result.kind}`}`);

export const createPasswordHasher = (options: PasswordHasherOptions): PasswordHasher => {
  const { concurrency, memoryKib, passes, startWorker = createHashWorker, onStart = () => {} } = options;
  const queue = createFairQueue<Waiting>();
  const workers = new Set<HashWorker>();
  const idle: HashWorker[] = [];
  let running = 0;
  /** By client, while it has any. */
  const runningOf = new Map<string, number>();
  const others = createOthers(() => performance.now(), SPARE_FOR_MS);
  /** Undefined before the first job has ended. */
  let measuredMs: number | undefined;
  let isClosed = false;

  const jobMs = () => measuredMs ?? FIRST_GUESS_MS;

  const measure = (ms: number): void => {
    measuredMs = measuredMs === undefined ? ms : measuredMs + SMOOTHING * (ms - measuredMs);
  };

  const full = () => new HashQueueFull((queue.size() * jobMs()) / concurrency);

  const takeWorker = (): HashWorker => {
    const known = idle.pop();
    if (known?.isAlive() === true) return known;
    if (known !== undefined) workers.delete(known);
    const worker = startWorker();
    workers.add(worker);
    return worker;
  };

  const count = (client: string, by: 1 | -1): void => {
    running += by;
    const own = (runningOf.get(client) ?? 0) + by;
    if (own === 0) runningOf.delete(client);
    else runningOf.set(client, own);
  };

  /** Its first is never refused, so that nobody waits for ever where there is one worker. */
  const mayBegin = (client: string): boolean => {
    const own = runningOf.get(client) ?? 0;
    return own === 0 || own < concurrency - 1 || !others.haveAsked(client);
  };

  const work = async (waiting: Waiting): Promise<void> => {
    let worker: HashWorker | undefined;
    try {
      worker = takeWorker();
      const { result, tookMs } = await worker.run(waiting.job);
      measure(tookMs);
      waiting.resolve(result);
    } catch (error) {
      waiting.reject(error);
    } finally {
      count(waiting.client, -1);
      // A dead worker is replaced only when the next job arrives: one that cannot start is not restarted in a loop.
      if (worker?.isAlive() === true) idle.push(worker);
      else if (worker !== undefined) workers.delete(worker);
      next();
    }
  };

  const next = (): void => {
    while (running < concurrency) {
      const waiting = queue.take(mayBegin);
      if (waiting === undefined) return;
      onStart(performance.now() - waiting.since);
      count(waiting.client, 1);
      void work(waiting);
    }
  };

  const run = (job: HashJob, { client = "", signal }: HashCaller = {}): Promise<HashResult> => {
    if (isClosed) return Promise.reject(new Error("the password hasher is closed"));
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    others.asked(client);
    if (queue.size() >= roomFor(measuredMs, concurrency)) {
      const yielding = queue.yieldTo(client);
      if (yielding === undefined) return Promise.reject(full());
      yielding.reject(full());
    }
    const { promise, resolve, reject } = Promise.withResolvers<HashResult>();
    const waiting: Waiting = { job, client, since: performance.now(), resolve, reject };
    const leave = () => {
      if (queue.remove(client, waiting)) reject(signal?.reason);
    };
    signal?.addEventListener("abort", leave);
    queue.add(client, waiting);
    next();
    return signal === undefined ? promise : promise.finally(() => signal.removeEventListener("abort", leave));
  };

  const hash = async (password: string, caller?: HashCaller): Promise<string> => {
    const result = await run({ kind: "hash", password, memoryKib, passes }, caller);
    if (result.kind !== "hash") throw failedHash(result);
    return result.hash;
  };

  return {
    hash,
    verify: async (password, hashed, caller) => {
      const result = await run({ kind: "verify", password, hash: hashed }, caller);
      if (result.kind !== "verify") throw failedHash(result);
      return result.matches;
    },
    waiting: () => queue.size(),
    warmUp: async () => {
      await Promise.allSettled(Array.from({ length: concurrency }, () => hash("the workers start")));
    },
    close: () => {
      isClosed = true;
      for (const waiting of queue.clear()) waiting.reject(new Error("the password hasher is closed"));
      for (const worker of workers) worker.end();
      workers.clear();
    },
  };
};
