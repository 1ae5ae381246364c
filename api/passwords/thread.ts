import { parentPort } from "node:worker_threads";
import type { HashBatch, HashJob, HashResult } from "./worker.ts";

/** What the thread of `worker.ts` runs: the jobs of a batch one after the other, answered together. */
const work = (job: HashJob): HashResult => {
  try {
    return job.kind === "hash"
      ? {
          kind: "hash",
          hash: Bun.password.hashSync(job.password, {
            algorithm: "argon2id",
            memoryCost: job.memoryKib,
            timeCost: job.passes,
          }),
        }
      : { kind: "verify", matches: Bun.password.verifySync(job.password, job.hash) };
  } catch (error) {
    return { kind: "failed", message: error instanceof Error ? error.message : String(error) };
  }
};

parentPort?.on("message", (message: string) => {
  const jobs: readonly HashJob[] = JSON.parse(message);
  const startedAt = performance.now();
  const results = jobs.map(work);
  const batch: HashBatch = { results, tookMs: performance.now() - startedAt };
  parentPort?.postMessage(JSON.stringify(batch));
});
