import type { HashJob, HashResult } from "./worker.ts";

/** Does a job where it is called: whatever else this thread has to do waits for it. Never throws. */
export const hashNow = (job: HashJob): HashResult => {
  try {
    if (job.kind === "verify") return { kind: "verify", matches: Bun.password.verifySync(job.password, job.hash) };
    const { password, memoryKib: memoryCost, passes: timeCost } = job;
    return { kind: "hash", hash: Bun.password.hashSync(password, { algorithm: "argon2id", memoryCost, timeCost }) };
  } catch (error) {
    return { kind: "failed", message: error instanceof Error ? error.message : String(error) };
  }
};
