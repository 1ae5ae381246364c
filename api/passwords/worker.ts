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

/** A batch of jobs that is done. */
export interface HashBatch {
  /** One per job. */
  readonly results: readonly HashResult[];
  /** What the batch took in the thread, without the way there and back. */
  readonly tookMs: number;
}

/** A thread that works on one batch of jobs at a time, in their order. */
export interface HashWorker {
  /** Rejects if the thread ends before it has answered. */
  run(jobs: readonly HashJob[]): Promise<HashBatch>;
  isAlive(): boolean;
  end(): void;
}

/** Starts a thread, which does not keep the process alive. `script` is what it runs. */
export const createHashWorker = (script: URL = new URL("./thread.ts", import.meta.url)): HashWorker => {
  const worker = new Worker(script);
  let pending: PromiseWithResolvers<HashBatch> | undefined;
  let isAlive = true;
  let lastError: unknown;

  worker.on("message", (message: string) => {
    const batch: HashBatch = JSON.parse(message);
    pending?.resolve(batch);
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
    run: (jobs) => {
      pending = Promise.withResolvers<HashBatch>();
      // As one text: a structured clone of the objects costs as much as a cheap hash.
      if (isAlive) worker.postMessage(JSON.stringify(jobs));
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
