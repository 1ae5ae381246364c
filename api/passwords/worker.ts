import { Worker } from "node:worker_threads";

/** What is asked of a worker. `memoryKib` and `passes` are argon2id's cost (RFC 9106). */
export type HashJob =
  | { readonly kind: "hash"; readonly password: string; readonly memoryKib: number; readonly passes: number }
  | { readonly kind: "verify"; readonly password: string; readonly hash: string };

/** What it answers. */
export type HashResult =
  | { readonly kind: "hash"; readonly hash: string }
  | { readonly kind: "verify"; readonly matches: boolean }
  | { readonly kind: "failed"; readonly message: string };

/** A job that is done. */
export interface DoneJob {
  readonly result: HashResult;
  /** What it took in the thread, without the way there and back. */
  readonly tookMs: number;
}

/** A thread that works on one job at a time. */
export interface HashWorker {
  /** Rejects if the thread ends before it has answered. */
  run(job: HashJob): Promise<DoneJob>;
  isAlive(): boolean;
  end(): void;
}

/** Starts a thread, which does not keep the process alive. `script` is what it runs. */
export const createHashWorker = (script: URL = new URL("./thread.ts", import.meta.url)): HashWorker => {
  const worker = new Worker(script);
  let pending: PromiseWithResolvers<DoneJob> | undefined;
  let isAlive = true;
  let lastError: unknown;

  worker.on("message", (done: DoneJob) => {
    pending?.resolve(done);
    pending = undefined;
  });
  worker.on("error", (error) => {
    lastError = error;
  });
  // A throw and an exit both end here, and neither sends an answer: the caller would wait forever.
  worker.on("exit", (code) => {
    isAlive = false;
    pending?.reject(new Error(`the password worker exited (code ${code})`, { cause: lastError }));
    pending = undefined;
  });
  // Last, because each listener that is added makes the thread keep the process alive again (Bun 1.4).
  worker.unref();

  return {
    run: (job) => {
      pending = Promise.withResolvers<DoneJob>();
      if (isAlive) worker.postMessage(job);
      else pending.reject(new Error("the password worker has exited", { cause: lastError }));
      return pending.promise;
    },
    isAlive: () => isAlive,
    end: () => {
      isAlive = false;
      void worker.terminate();
    },
  };
};
