import { Worker } from "node:worker_threads";
import type { HashJob, HashResult } from "./password-job.ts";

/** A thread that does one parcel of jobs at a time, in their order. */
export interface HashWorker {
  /** One result per job. Rejects if the thread ends before it has answered. */
  run(jobs: readonly HashJob[]): Promise<readonly HashResult[]>;
  isAlive(): boolean;
  end(): void;
}

/** Starts a thread; the process can end while it is there. `script` is what it runs. */
export const createHashWorker = (script: URL = new URL("./password-worker.ts", import.meta.url)): HashWorker => {
  const worker = new Worker(script);
  let pending: PromiseWithResolvers<readonly HashResult[]> | undefined;
  let isAlive = true;
  let lastError: unknown;

  worker.on("message", (results: readonly HashResult[]) => {
    pending?.resolve(results);
    pending = undefined;
  });
  worker.on("error", (error) => {
    lastError = error;
  });
  // A throw and an exit both end here, and neither answers: whoever waits would wait for ever.
  worker.on("exit", (code) => {
    isAlive = false;
    pending?.reject(new Error(`the password worker ended (exit ${code})`, { cause: lastError }));
    pending = undefined;
  });
  // Last: each listener that is added makes the thread hold the process again (Bun 1.4).
  worker.unref();

  return {
    run: (jobs) => {
      pending = Promise.withResolvers<readonly HashResult[]>();
      if (isAlive) worker.postMessage(jobs);
      else pending.reject(new Error("the password worker has ended", { cause: lastError }));
      return pending.promise;
    },
    isAlive: () => isAlive,
    end: () => {
      isAlive = false;
      void worker.terminate();
    },
  };
};
