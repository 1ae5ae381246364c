import { z } from "zod";
import type { Job } from "../../../database/jobs.ts";
import { WALKED_STATES } from "../../../database/ledger/facts.ts";
import type { Group } from "../../../stream/groups.ts";
import { startBackground } from "../jobs/background.ts";
import { groupNamed, type Operator } from "../operator.ts";
import {
  type ActionReport,
  actOnDeliveries,
  type DeliverySelection,
  emptyReport,
  isAnyMeant,
  previewAction,
} from "./act.ts";
import { DELIVERY_ACTIONS, type DeliveryAction } from "./decide.ts";

/** Before the action, if a job is only to look. */
const PREVIEW = "preview ";

const jobSelection = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("chosen"),
    /** Event ids by group. */
    chosen: z.record(z.string(), z.array(z.uuid())),
  }),
  z.object({
    kind: z.literal("all"),
    groups: z.array(z.string()),
    state: z.enum(WALKED_STATES),
    reason: z.string().optional(),
    since: z.iso.datetime().optional(),
    /** Always there: what comes to be meant later is not meant. */
    before: z.iso.datetime(),
  }),
]);

/** Which deliveries a job is about, in one group or in several. */
export type JobSelection = z.infer<typeof jobSelection>;

/** The selection and the action of a job, as its row has them; undefined if another version wrote it. */
export const orderOf = (
  job: Pick<Job, "action" | "selection">,
): { readonly action: DeliveryAction; readonly selection: JobSelection; readonly isPreview: boolean } | undefined => {
  const { data: selection } = jobSelection.safeParse(job.selection);
  const isPreview = job.action.startsWith(PREVIEW);
  const action = DELIVERY_ACTIONS.find((each) => each === job.action.slice(isPreview ? PREVIEW.length : 0));
  return selection === undefined || action === undefined ? undefined : { action, selection, isPreview };
};

const selectionsOf = (selection: JobSelection): readonly (readonly [group: string, selection: DeliverySelection])[] => {
  if (selection.kind === "chosen") {
    return Object.entries(selection.chosen).map(([group, eventIds]) => [group, { kind: "chosen", eventIds }]);
  }
  const { groups, state, reason, since, before } = selection;
  const window = { since: since === undefined ? undefined : new Date(since), before: new Date(before) };
  return groups.map((group) => [group, { kind: "all", state, reason, ...window }]);
};

/** What became of how many, and what would. */
export interface JobReport extends Pick<ActionReport, "looked" | "changed" | "outcomes"> {
  /** How many were looked at, by group; those without any are left out. */
  readonly byGroup: Readonly<Record<string, number>>;
}

const inEachGroup = async (
  operator: Operator,
  selection: JobSelection,
  act: (operator: Operator, ...named: Parameters<typeof namedOf>) => Promise<ActionReport>,
): Promise<JobReport> => {
  const byGroup: Record<string, number> = {};
  const sum = { looked: 0, changed: 0, outcomes: {} satisfies ActionReport["outcomes"], byGroup };
  for (const [group, selected] of selectionsOf(selection)) {
    if (operator.signal.aborted) break;
    const before = sum.looked;
    const onProgress: Operator["onProgress"] = (progress) =>
      operator.onProgress({ ...progress, done: before + progress.done });
    const report = await act({ ...operator, onProgress }, operator, group, selected);
    sum.looked += report.looked;
    sum.changed += report.changed;
    if (report.looked > 0) byGroup[group] = report.looked;
    for (const [outcome, count] of Object.entries(report.outcomes)) add(sum.outcomes, outcome, count);
  }
  return sum;
};

const namedOf = (operator: Operator, group: string, selection: DeliverySelection) =>
  [groupNamed(operator, group), selection] as const;

const add = (outcomes: Record<string, number>, outcome: string, count: number): void => {
  outcomes[outcome] = (outcomes[outcome] ?? 0) + count;
};

/** What a job would do. */
export const previewJob = (operator: Operator, action: DeliveryAction, selection: JobSelection): Promise<JobReport> =>
  inEachGroup(operator, selection, (own, ...named) => previewAction(own, action, ...namedOf(...named)));

const actWhereMeant = async (
  operator: Operator,
  action: DeliveryAction,
  group: Group,
  selection: DeliverySelection,
): Promise<ActionReport> =>
  (await isAnyMeant(operator, group, selection))
    ? actOnDeliveries(operator, action, group, selection)
    : emptyReport(action, group);

/** What a job is to do. */
export interface JobOrder {
  readonly jobId: string;
  readonly actor: string;
  readonly action: DeliveryAction;
  readonly selection: JobSelection;
  /** Only to look; not given: to act. */
  readonly isPreview?: boolean;
  /** How many the preview has counted; 0: it is one. */
  readonly total: number;
}

/** Starts a job, or a preview as a job. The same order again does what is left. */
export const startJob = (
  operator: Operator,
  { isPreview = false, ...order }: JobOrder,
): Promise<{ readonly ended: Promise<void> }> => {
  const { action, selection } = order;
  const row = { ...order, action: isPreview ? `${PREVIEW}${action}` : action };
  return startBackground(operator, row, async (own) => {
    const { looked, outcomes } = isPreview
      ? await previewJob(own, action, selection)
      : await inEachGroup(own, selection, (each, ...given) => actWhereMeant(each, action, ...namedOf(...given)));
    return { done: looked, outcomes };
  });
};
