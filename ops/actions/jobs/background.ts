import { beatJob, beginJob, endJob, INTERRUPTED, type Job } from "../../../database/jobs.ts";
import { pause } from "../../../runtime/loop.ts";
import type { Operator } from "../operator.ts";

const BEAT_MS = 1_000;

/** What a job has done. */
export type Done = Pick<Job, "done" | "outcomes">;

/**
 * Starts a job in this process; resolves when its row is written, so that every process sees it. `ended` resolves when it has ended,
 * or was stopped, and never rejects. If the process dies, the row gives no sign of life any more.
 */
export const startBackground = async (
  operator: Operator,
  row: Pick<Job, "jobId" | "actor" | "action" | "selection" | "total">,
  work: (operator: Operator) => Promise<Done>,
): Promise<{ readonly ended: Promise<void> }> => {
  const { db } = operator;
  const { jobId } = row;
  await beginJob(db, row);
  const stop = new AbortController();
  const over = new AbortController();
  let done = 0;
  const beats = async (): Promise<void> => {
    while (!over.signal.aborted) {
      await pause(BEAT_MS, over.signal);
      if (over.signal.aborted) return;
      // Postgres is away: the work waits for it as well, or fails.
      const isToStop = await beatJob(db, jobId, done).catch(() => false);
      if (isToStop) stop.abort();
    }
  };
  const own: Operator = {
    ...operator,
    signal: AbortSignal.any([operator.signal, stop.signal]),
    onProgress(progress) {
      done = progress.done;
      operator.onProgress(progress);
    },
  };
  const run = async (): Promise<void> => {
    const beating = beats();
    const ended = await work(own).then(
      (result) => ({ ...result, error: operator.signal.aborted ? INTERRUPTED : null }),
      (error: unknown) => ({ done, outcomes: {}, error: error instanceof Error ? error.name : "unknown" }),
    );
    over.abort();
    await beating;
    await endJob(db, jobId, ended).catch(() => {});
  };
  return { ended: run() };
};
