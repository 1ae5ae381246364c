import { type Database, statement } from "./connection.ts";

/** How a job is doing. `interrupted`: it did not end, and its process gives no sign of life. */
export type JobState = "running" | "done" | "stopped" | "failed" | "interrupted";

/** Work on many deliveries that an operator started. */
export interface Job {
  readonly jobId: string;
  readonly actor: string;
  readonly action: string;
  /** As it was given to `beginJob`. */
  readonly selection: unknown;
  readonly total: number;
  readonly done: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly stopAskedBy: string | null;
  readonly begunAt: Date;
  readonly endedAt: Date | null;
  readonly error: string | null;
  readonly state: JobState;
}

/** Without a sign of life for so long, a job is interrupted. It gives one each second. */
const SILENT_MS = 15_000;
const KEPT_DAYS = 30;

const begin = statement<never, [string, string, string, unknown, number]>(`
  with pruned as (delete from jobs where begun_at < now() - ${KEPT_DAYS} * interval '1 day')
  insert into jobs (job_id, actor, action, selection, total)
  values ($1::uuid, $2::text, $3::text, $4::jsonb, $5::int)`);

export const beginJob = async (
  db: Database,
  { jobId, actor, action, selection, total }: Pick<Job, "jobId" | "actor" | "action" | "selection" | "total">,
): Promise<void> => {
  await begin(db, jobId, actor, action, selection, total);
};

const beat = statement<{ stop_asked: boolean }, [string, number]>(`
  update jobs set beat_at = now(), done = $2::int where job_id = $1::uuid and ended_at is null
  returning stop_asked_by is not null as stop_asked`);

/** Says that a job is alive and how far it is; true if it is to stop. */
export const beatJob = async (db: Database, jobId: string, done: number): Promise<boolean> =>
  (await beat(db, jobId, done))[0]?.stop_asked === true;

const end = statement<never, [string, number, unknown, string | null]>(`
  update jobs set beat_at = now(), ended_at = now(), done = $2::int, outcomes = $3::jsonb, error = $4::text
  where job_id = $1::uuid`);

export const endJob = async (
  db: Database,
  jobId: string,
  { done, outcomes, error }: Pick<Job, "done" | "outcomes" | "error">,
): Promise<void> => {
  await end(db, jobId, done, outcomes, error);
};

const askToStop = statement<{ job_id: string }, [string, string]>(`
  update jobs set stop_asked_by = $2::text where job_id = $1::uuid and ended_at is null and stop_asked_by is null
  returning job_id`);

/** Asks a job to stop, wherever it runs: it does so within a second, after its batch. False if it has ended, or was asked before. */
export const stopJob = async (db: Database, jobId: string, actor: string): Promise<boolean> =>
  (await askToStop(db, jobId, actor)).length > 0;

interface JobRow {
  readonly job_id: string;
  readonly actor: string;
  readonly action: string;
  readonly selection: unknown;
  readonly total: number;
  readonly done: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly stop_asked_by: string | null;
  readonly begun_at: Date;
  readonly ended_at: Date | null;
  readonly error: string | null;
  readonly is_silent: boolean;
}

const select = `select job_id, actor, action, selection, total, done, outcomes, stop_asked_by, begun_at, ended_at, error,
    beat_at < now() - ${SILENT_MS} * interval '1 ms' as is_silent from jobs`;
const one = statement<JobRow, [string]>(`${select} where job_id = $1::uuid`);
const latest = statement<JobRow, [number]>(`${select} order by begun_at desc limit $1::int`);

const stateOf = ({ ended_at, error, stop_asked_by, is_silent }: JobRow): JobState => {
  if (ended_at === null) return is_silent ? "interrupted" : "running";
  if (error !== null) return error === INTERRUPTED ? "interrupted" : "failed";
  return stop_asked_by === null ? "done" : "stopped";
};

/** The error of a job whose process was asked to stop. */
export const INTERRUPTED = "its process was stopped";

const jobOf = (row: JobRow): Job => ({
  jobId: row.job_id,
  actor: row.actor,
  action: row.action,
  selection: row.selection,
  total: row.total,
  done: row.done,
  outcomes: row.outcomes,
  stopAskedBy: row.stop_asked_by,
  begunAt: row.begun_at,
  endedAt: row.ended_at,
  error: row.error,
  state: stateOf(row),
});

/** Undefined if there is none of that id. */
export const findJob = async (db: Database, jobId: string): Promise<Job | undefined> =>
  (await one(db, jobId)).map(jobOf)[0];

/** The jobs of the last 30 days, latest first. */
export const listJobs = async (db: Database, limit: number): Promise<readonly Job[]> =>
  (await latest(db, limit)).map(jobOf);
