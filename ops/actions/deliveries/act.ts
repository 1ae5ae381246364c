import { DISCARDED } from "../../../database/ledger/discard.ts";
import { type DeliveryFacts, readFacts, type WalkFilter, walkFacts } from "../../../database/ledger/facts.ts";
import type { Group } from "../../../stream/groups.ts";
import { audited } from "../audited.ts";
import type { Operator } from "../operator.ts";
import { apply } from "./apply.ts";
import { type ChangedOutcome, type Decision, type DeliveryAction, decide, type KeptOutcome } from "./decide.ts";

/** Which deliveries of a group are meant. */
export type DeliverySelection =
  | { readonly kind: "chosen"; readonly eventIds: readonly string[] }
  | ({ readonly kind: "all" } & WalkFilter);

/** What an action does, or would do, by outcome. */
export interface ActionReport {
  readonly action: DeliveryAction;
  readonly group: string;
  /** Deliveries that were looked at. */
  looked: number;
  /** Of those: changed, or would be. */
  changed: number;
  readonly outcomes: Partial<Record<ChangedOutcome | KeptOutcome, number>>;
  /** Asked to stop before the end: run it again to continue. */
  stopped: boolean;
}

/** Deliveries between two looks at the signal. */
const BATCH = 1_000;
/** Of a batch, in one statement: two at a time, so that Redis works on one while Postgres works on the other. */
const SLICE = 500;
/** A look writes nothing. */
const LOOK_BATCH = 5_000;

/** Reads the next page while one is worked on. */
async function* readingAhead<T>(pages: AsyncGenerator<T>): AsyncGenerator<T> {
  const read = () => {
    const page = pages.next();
    // It is reported when it is asked for; until then nobody awaits it.
    page.catch(() => {});
    return page;
  };
  let next = read();
  try {
    for (;;) {
      const { value, done } = await next;
      if (done === true) return;
      next = read();
      yield value;
    }
  } finally {
    await pages.return(undefined);
  }
}

async function* selected(
  { db }: Operator,
  group: Group,
  selection: DeliverySelection,
  limit: number,
): AsyncGenerator<readonly DeliveryFacts[]> {
  if (selection.kind === "all") {
    yield* readingAhead(walkFacts(db, group.name, selection, limit));
    return;
  }
  for (let start = 0; start < selection.eventIds.length; start += limit) {
    yield await readFacts(db, group.name, selection.eventIds.slice(start, start + limit));
  }
}

/** Whether any delivery of a group is meant: where none is, nothing is done, and nothing is worth a record. */
export const isAnyMeant = async (operator: Operator, group: Group, selection: DeliverySelection): Promise<boolean> => {
  for await (const page of selected(operator, group, selection, 1)) if (page.length > 0) return true;
  return false;
};

/** Of nothing. */
export const emptyReport = (action: DeliveryAction, group: Group): ActionReport => ({
  action,
  group: group.name,
  looked: 0,
  changed: 0,
  outcomes: {},
  stopped: false,
});

const count = (report: ActionReport, { acts, outcome }: Decision): void => {
  report.looked += 1;
  if (acts) report.changed += 1;
  report.outcomes[outcome] = (report.outcomes[outcome] ?? 0) + 1;
};

const withDiscarded = (selection: DeliverySelection): boolean =>
  selection.kind === "chosen" || selection.reason === DISCARDED;

/** Without an end, what comes to be meant while it runs would be meant, too: what it retries dies again, for example. */
const withEnd = (selection: DeliverySelection): DeliverySelection =>
  selection.kind === "all" && selection.before === undefined ? { ...selection, before: new Date() } : selection;

/** What an action would do to each of the selected deliveries, by outcome. It changes nothing. */
export const previewAction = async (
  operator: Operator,
  action: DeliveryAction,
  group: Group,
  selection: DeliverySelection,
): Promise<ActionReport> => {
  const report = emptyReport(action, group);
  const options = { withDiscarded: withDiscarded(selection) };
  for await (const page of selected(operator, group, selection, LOOK_BATCH)) {
    for (const facts of page) count(report, decide(action, group, facts, options));
    operator.onProgress({ done: report.looked, noun: "deliveries" });
    if (operator.signal.aborted) return { ...report, stopped: true };
  }
  return report;
};

const applyInSlices = async (
  operator: Operator,
  action: DeliveryAction,
  group: Group,
  facts: readonly DeliveryFacts[],
): Promise<ReadonlySet<string>> => {
  const slices = [facts.slice(0, SLICE), facts.slice(SLICE)].filter((slice) => slice.length > 0);
  const changed = await Promise.all(slices.map((slice) => apply(operator, action, group, slice)));
  return new Set(changed.flatMap((ids) => [...ids]));
};

const run = async (
  operator: Operator,
  action: DeliveryAction,
  group: Group,
  selection: DeliverySelection,
  total?: number,
): Promise<ActionReport> => {
  const { signal, onProgress } = operator;
  const report = emptyReport(action, group);
  const options = { withDiscarded: withDiscarded(selection) };
  for await (const page of selected(operator, group, withEnd(selection), BATCH)) {
    if (signal.aborted) return { ...report, stopped: true };
    const decided = page.map((facts) => ({ facts, decision: decide(action, group, facts, options) }));
    const meant = decided.flatMap(({ facts, decision }) => (decision.acts ? [facts] : []));
    const changed = await applyInSlices(operator, action, group, meant);
    for (const { facts, decision } of decided) {
      const isLate = decision.acts && !changed.has(facts.event_id);
      count(report, isLate ? { acts: false, outcome: "changed_meanwhile" } : decision);
    }
    onProgress({ done: report.looked, noun: "deliveries", ...(total === undefined ? {} : { total }) });
  }
  return report;
};

const argumentsOf = (selection: DeliverySelection) =>
  selection.kind === "chosen"
    ? { events: selection.eventIds.length }
    : {
        state: selection.state,
        reason: selection.reason,
        since: selection.since?.toISOString(),
        before: selection.before?.toISOString(),
      };

/**
 * Does an action to the selected deliveries of a group, in batches: it can be stopped, and run again to continue. Each is decided
 * again when it is done. `total`: how many the preview has counted, for the progress.
 */
export const actOnDeliveries = audited({
  name: "deliveries",
  describe: ([action, group, selection]) => ({
    group: group.name,
    arguments: { do: action, ...argumentsOf(selection) },
  }),
  run,
  resultOf: ({ changed, stopped }, [, , selection]) => ({
    affected: changed,
    stopped,
    eventIds: selection.kind === "chosen" ? selection.eventIds : [],
  }),
});
