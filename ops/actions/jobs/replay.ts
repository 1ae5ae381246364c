import { z } from "zod";
import type { Job } from "../../../database/jobs.ts";
import { isUuid } from "../../../database/uuid.ts";
import { groupNamed, type Operator } from "../operator.ts";
import { countReplay, type ReplayCounts, type ReplayOptions, replay } from "../replay.ts";
import { type Done, startBackground } from "./background.ts";

const replaySelection = z.object({
  group: z.string(),
  /** A time, or the id of the first event. */
  from: z.union([z.iso.datetime(), z.uuid()]),
  /** Always there: what is made later gets its deliveries by itself. */
  to: z.iso.datetime(),
  type: z.string().optional(),
});

/** The part of the log that is replayed for a group. What it has done already is not done again. */
export type ReplaySelection = z.infer<typeof replaySelection>;

/** A replay, or a look at what it would do. */
export interface ReplayOrder {
  readonly isPreview: boolean;
  readonly selection: ReplaySelection;
}

const ACTIONS = { replay: false, "preview replay": true } as const;

/** The replay of a job; undefined: it is another kind of job, or of another version. */
export const replayOrderOf = (job: Pick<Job, "action" | "selection">): ReplayOrder | undefined => {
  const action = Object.entries(ACTIONS).find(([name]) => name === job.action);
  const { data: selection } = replaySelection.safeParse(job.selection);
  return action === undefined || selection === undefined ? undefined : { isPreview: action[1], selection };
};

/** Of each outcome of a replay, what becomes of so many. */
export const REPLAY_WORDS = {
  added: ["is new to the group, and queued", "are new to the group, and queued"],
  in_progress: ["is in progress already, and left alone", "are in progress already, and left alone"],
  closed: ["is done, dead, held or cancelled, and left alone", "are done, dead, held or cancelled, and left alone"],
  other_types: ["is of a type that is not meant", "are of types that are not meant"],
} as const;

/** Events a second at the most: consumers keep up with what is signed up meanwhile. */
const RATE = 1_000;

const optionsOf = ({ from, to, type }: ReplaySelection): ReplayOptions => ({
  from: isUuid(from) ? { kind: "event", eventId: from.toLowerCase() } : { kind: "time", at: new Date(from) },
  to: new Date(to),
  type,
  again: { kind: "none" },
  rate: RATE,
});

const doneOf = ({ read, added, inProgress, closed, otherTypes }: ReplayCounts): Done => ({
  done: read,
  outcomes: {
    added,
    in_progress: inProgress,
    closed: Object.values(closed).reduce((sum, count) => sum + count, 0),
    other_types: otherTypes,
  },
});

/** What a replay would do. It changes nothing, and ends early when its operator stops. */
export const previewReplay = async (operator: Operator, selection: ReplaySelection): Promise<Done> =>
  doneOf(await countReplay(operator, groupNamed(operator, selection.group), optionsOf(selection)));

/** Starts a replay, or its preview, as a job. `total`: how many events the preview has counted. */
export const startReplay = (
  operator: Operator,
  { isPreview, selection, ...row }: ReplayOrder & Pick<Job, "jobId" | "actor" | "total">,
): Promise<{ readonly ended: Promise<void> }> => {
  const group = groupNamed(operator, selection.group);
  const action = isPreview ? "preview replay" : "replay";
  return startBackground(operator, { ...row, action, selection }, async (own) =>
    isPreview ? previewReplay(own, selection) : doneOf(await replay(own, group, optionsOf(selection), row.total)),
  );
};
