import { findJob, type Job, listJobs, stopJob } from "../../../database/jobs.ts";
import { isUuid } from "../../../database/uuid.ts";
import { orderOf } from "../../../ops/actions/deliveries/job.ts";
import { type ReplaySelection, replayOrderOf } from "../../../ops/actions/jobs/replay.ts";
import { NotFound } from "../../../ops/actions/operator.ts";
import { count, relative } from "../../../runtime/quantity.ts";
import { beginReplay, ReplayForm } from "../act/replay.tsx";
import { FormToken } from "../layout.tsx";
import type { ConsoleParts, Visit, VisitHandler } from "../visit.ts";
import { momentText } from "../words.tsx";
import { Outcomes } from "./outcomes.tsx";
import { ActForm, beginAndShow } from "./preview.tsx";
import { selectionWords } from "./selection-words.ts";
import { ACTION_WORDS, JOB_WORDS } from "./words.ts";

const MANY = 50;
const LIST = "/console/deliveries";
/** A page of a job that runs is loaded again after so many seconds. */
const REFRESH_S = 2;

const replayWords = ({ group, from, to, type }: ReplaySelection): string => {
  const first = isUuid(from) ? `event ${from}` : momentText(new Date(from));
  return `Replay for ${group}: ${type ?? "events"} from ${first} to ${momentText(new Date(to))}`;
};

const titleOf = (job: Job): string => {
  const order = orderOf(job);
  const replay = replayOrderOf(job);
  if (order !== undefined) {
    return `${order.isPreview ? "Preview of " : ""}${ACTION_WORDS[order.action]}: ${selectionWords(order.selection)}`;
  }
  return replay === undefined ? job.action : `${replay.isPreview ? "Preview of " : ""}${replayWords(replay.selection)}`;
};

/** What a preview's page leads to: the form that does it. */
const Next = ({ visit, job }: { readonly visit: Visit; readonly job: Job }) => {
  const order = orderOf(job);
  const replay = replayOrderOf(job);
  const { done, outcomes } = job;
  if (order?.isPreview === true) {
    return <ActForm visit={visit} order={{ ...order, back: LIST }} report={{ looked: done, outcomes }} />;
  }
  return replay?.isPreview === true ? (
    <ReplayForm visit={visit} selection={replay.selection} done={done} outcomes={outcomes} />
  ) : null;
};

const isPreview = (job: Job): boolean => (orderOf(job) ?? replayOrderOf(job))?.isPreview === true;

/** A preview does not know how many there are: it counts them. */
const progressOf = (job: Job): string =>
  isPreview(job) ? `${count(job.done)} looked at` : `${count(job.done)} of ${count(Math.max(job.done, job.total))}`;

const jobOf = async (visit: Visit): Promise<Job> => {
  const id = visit.c.req.param("id");
  const job = isUuid(id) ? await findJob(visit.operator().db, id) : undefined;
  if (job === undefined) throw new NotFound("There is no such job; they are kept for 30 days.");
  return job;
};

/** The jobs of the last days, wherever they run. */
export const showJobs =
  ({ now }: Pick<ConsoleParts, "now">): VisitHandler =>
  async (visit) => {
    const jobs = await listJobs(visit.operator().db, MANY);
    return visit.page({
      title: "Jobs",
      children: (
        <>
          <h1>Jobs</h1>
          {jobs.length === 0 ? (
            <p class="soft">
              No job ran in the last 30 days. One begins when you change many deliveries at once, under{" "}
              <a href="/console/deliveries">Deliveries</a>, or replay events.
            </p>
          ) : null}
          <ul class="jobs">
            {jobs.map((job) => (
              <li>
                <a data-item href={`/console/deliveries/jobs/${job.jobId}`}>
                  {titleOf(job)}
                </a>
                <small>
                  {`${JOB_WORDS[job.state]}, ${progressOf(job)}; ${job.actor}, ${relative(job.begunAt, now())}`}
                </small>
              </li>
            ))}
          </ul>
        </>
      ),
    });
  };

const Ended = ({ job }: { readonly job: Job }) => {
  switch (job.state) {
    case "running":
      return job.stopAskedBy === null ? null : <p>{`${job.stopAskedBy} asked it to stop.`}</p>;
    case "done":
      return null;
    case "stopped":
      return <p>{`${job.stopAskedBy} stopped it. Run it again to continue.`}</p>;
    case "failed":
      return <p class="alert">{`It failed (${job.error}). Run it again to continue.`}</p>;
    case "interrupted":
      return (
        <p class="alert">Its process ended before it did. Run it again to continue: what is done is not done again.</p>
      );
  }
};

/** A job, wherever it runs: how far it is, and what became of how many. */
export const showJob =
  ({ now }: Pick<ConsoleParts, "now">): VisitHandler =>
  async (visit) => {
    const job = await jobOf(visit);
    const { state, done, total } = job;
    if (state === "running") visit.c.header("Refresh", String(REFRESH_S));
    const canAct = visit.session.role === "operator";
    return visit.page({
      title: `Job ${JOB_WORDS[state]}`,
      children: (
        <>
          <h1>{titleOf(job)}</h1>
          <p class="soft">{`${job.actor}, ${relative(job.begunAt, now())}`}</p>
          <div class="card">
            <p role="status">
              <strong>{JOB_WORDS[state]}</strong>
              {`, ${progressOf(job)}`}
            </p>
            {isPreview(job) ? null : <progress value={done} max={Math.max(1, done, total)} aria-label="Progress" />}
            <Outcomes outcomes={job.outcomes} />
            <Ended job={job} />
          </div>
          {canAct && state === "done" ? <Next visit={visit} job={job} /> : null}
          {canAct && !(isPreview(job) && state === "done") ? (
            <form class="bar" method="post">
              <FormToken session={visit.session} />
              {state === "running" ? (
                <button type="submit" name="do" value="stop">
                  Stop
                </button>
              ) : (
                <button type="submit" name="do" value="again" class="quiet">
                  Run it again
                </button>
              )}
              <a href="/console/deliveries/jobs">All jobs</a>
            </form>
          ) : null}
        </>
      ),
    });
  };

/** Stops a job, or does what is left of it. */
export const changeJob =
  (parts: Pick<ConsoleParts, "groups" | "now" | "newId">): VisitHandler =>
  async (visit) => {
    const job = await jobOf(visit);
    const order = orderOf(job);
    if (visit.form.get("do") === "stop") {
      await stopJob(visit.operator().db, job.jobId, visit.session.name);
      return visit.redirect(`/console/deliveries/jobs/${job.jobId}`);
    }
    const replay = replayOrderOf(job);
    // What was done is not meant any more.
    const total = isPreview(job) ? 0 : Math.max(0, job.total - job.done);
    if (replay !== undefined) return beginReplay(visit, parts, { ...replay, total });
    if (order === undefined) throw new NotFound("Another version of this console started that job.");
    return beginAndShow(visit, parts, { ...order, total });
  };
