import { parentPort } from "node:worker_threads";
import { hashNow } from "./hash-now.ts";
import type { DoneJob, HashJob } from "./worker.ts";

/** What the thread of `worker.ts` runs: one job after the other. */
parentPort?.on("message", (job: HashJob) => {
  const startedAt = performance.now();
  const result = hashNow(job);
  const done: DoneJob = { result, tookMs: performance.now() - startedAt };
  parentPort?.postMessage(done);
});
