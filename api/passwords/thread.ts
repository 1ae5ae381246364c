import { constants, getPriority, platform, setPriority } from "node:os";
import { parentPort } from "node:worker_threads";
import { hashNow } from "./hash-now.ts";
import type { DoneJob, HashJob } from "./worker.ts";

/**
 * Hashes take all processors, for as long as a flood lasts, and each lasts longer than all else that a request needs: so the thread that
 * reads and answers goes first. On Linux a priority is the thread's own; elsewhere it would be that of the process.
 */
const giveWay = (): void => {
  if (platform() !== "linux") return;
  try {
    setPriority(Math.max(getPriority(), constants.priority.PRIORITY_BELOW_NORMAL));
  } catch {
    // Where that is not allowed, hashes are made at the usual priority.
  }
};

giveWay();

/** What the thread of `worker.ts` runs: one job after the other. */
parentPort?.on("message", (job: HashJob) => {
  const startedAt = performance.now();
  const result = hashNow(job);
  const done: DoneJob = { result, tookMs: performance.now() - startedAt };
  parentPort?.postMessage(done);
});
