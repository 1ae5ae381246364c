import {
  enlistEvents,
  type LogPosition,
  positionAt,
  positionBefore,
  type ReplayableEvent,
  readLogEnd,
  readLogPage,
} from "../../database/ledger/replay.ts";
import { requeueDeliveries } from "../../database/ledger/requeue.ts";
import { type DeliveryState, isFinal } from "../../database/ledger/states.ts";
import { pause } from "../../runtime/loop.ts";
import { deleteDoneNotes } from "../../stream/done-note.ts";
import { enqueueLogged } from "../../stream/enqueue.ts";
import { EVENT_TYPES } from "../../stream/events/types.ts";
import type { Group } from "../../stream/groups.ts";
import { publishStates } from "../../stream/publish.ts";
import { bindingTo, matchesPattern } from "../../stream/routing.ts";
import { audited } from "./audited.ts";
import { NotFound, type Operator } from "./operator.ts";

/*
 * The order of writes. If the process dies between two of them, the next one sees:
 *
 * | step                                       | died after it: the next one sees                                    |
 * | ------------------------------------------ | ------------------------------------------------------------------- |
 * | UNLINK of the notes that work was done,    | `done` as before: while the ledger says so, no note is asked for    |
 * | where it is to be done again               |                                                                     |
 * | ledger: a new delivery, or `done` ->       | `queued` and nowhere: the reconciler brings it back; replayed       |
 * | `queued` (`requeued`)                      | again, it is already in progress, and is left alone                 |
 * | XADD to the group's retries stream         | nothing: the entry is there                                         |
 */

/** Where a range of the log begins. */
export type LogPoint =
  | { readonly kind: "time"; readonly at: Date }
  | { readonly kind: "event"; readonly eventId: string };

/** Which of the deliveries that are done are to be done once more. */
export type Again =
  | { readonly kind: "none" }
  | { readonly kind: "events"; readonly eventIds: readonly string[] }
  | { readonly kind: "all" };

export interface ReplayOptions {
  readonly from: LogPoint;
  /** Its last moment; now if not given. */
  readonly to?: Date | undefined;
  /** Only events whose type matches this pattern. */
  readonly type?: string | undefined;
  readonly again: Again;
  /** Events a second at the most. */
  readonly rate: number;
}

/** What is, or would be, done with the events of a range. */
export interface ReplayCounts {
  /** Events of the log in the range. */
  read: number;
  /** New to the group: they get a delivery. */
  added: number;
  /** Done before, and to be done again. */
  repeated: number;
  /** In progress already: left alone. */
  inProgress: number;
  /** Left alone, for they are final or held, by state. */
  readonly closed: Partial<Record<DeliveryState, number>>;
  /** Of a type that the group does not bind to, or that was not asked for. */
  otherTypes: number;
}

export interface ReplayReport extends ReplayCounts {
  readonly group: string;
  /** The last event that was handled; to continue after a stop, `--from` it. */
  lastEventId: string | null;
  stopped: boolean;
}

/** Events in one batch. */
const BATCH = 200;

type Fate = "add" | "repeat" | "in-progress" | "closed" | "other-type";

const fateOf = (event: ReplayableEvent, group: Group, { type, again }: ReplayOptions): Fate => {
  if (bindingTo(group.types, event.type, EVENT_TYPES) !== "handled") return "other-type";
  if (type !== undefined && !matchesPattern(type, event.type)) return "other-type";
  if (event.state === null) return "add";
  const isNamed = again.kind === "all" || (again.kind === "events" && again.eventIds.includes(event.event_id));
  if (event.state === "done" && isNamed) return "repeat";
  return isFinal(event.state) || event.state === "held" ? "closed" : "in-progress";
};

const emptyCounts = (): ReplayCounts => ({
  read: 0,
  added: 0,
  repeated: 0,
  inProgress: 0,
  closed: {},
  otherTypes: 0,
});

const count = (counts: ReplayCounts, fate: Fate, { state }: ReplayableEvent): void => {
  counts.read += 1;
  if (fate === "add") counts.added += 1;
  else if (fate === "repeat") counts.repeated += 1;
  else if (fate === "in-progress") counts.inProgress += 1;
  else if (fate === "other-type") counts.otherTypes += 1;
  else if (state !== null) counts.closed[state] = (counts.closed[state] ?? 0) + 1;
};

const startOf = async ({ db }: Operator, from: LogPoint): Promise<LogPosition> => {
  if (from.kind === "time") return positionAt(from.at);
  const position = await positionBefore(db, from.eventId);
  if (position === undefined) throw new NotFound(`there is no event ${from.eventId} in the log`);
  return position;
};

/** The range in pages. Its end is fixed at the start: what is made meanwhile gets its deliveries by itself. */
async function* pagesOf(
  operator: Operator,
  group: Group,
  { from, to }: ReplayOptions,
): AsyncGenerator<readonly ReplayableEvent[]> {
  const { db, signal } = operator;
  const end = to?.toISOString() ?? (await readLogEnd(db));
  let after = await startOf(operator, from);
  while (!signal.aborted) {
    const page = await readLogPage(db, { group: group.name, after, to: end, limit: BATCH });
    const last = page.at(-1);
    if (last === undefined) return;
    yield page;
    after = { at: last.at, eventId: last.event_id };
  }
}

/**
 * Counts what a replay would do, and does nothing.
 *
 * @throws {NotFound} naming the types of events there are, if the pattern matches none of them
 */
export const countReplay = async (
  operator: Operator,
  group: Group,
  options: ReplayOptions,
): Promise<ReplayCounts & { readonly stopped: boolean }> => {
  const { type } = options;
  if (type !== undefined && !EVENT_TYPES.some((known) => matchesPattern(type, known))) {
    throw new NotFound(`${type} matches no type of event; there are: ${EVENT_TYPES.join(", ")}`);
  }
  const counts = emptyCounts();
  for await (const page of pagesOf(operator, group, options)) {
    for (const event of page) count(counts, fateOf(event, group, options), event);
    operator.onProgress({ done: counts.read, noun: "events counted" });
  }
  return { ...counts, stopped: operator.signal.aborted };
};

const replayPage = async (
  operator: Operator,
  group: Group,
  page: readonly ReplayableEvent[],
  fates: readonly Fate[],
): Promise<number> => {
  const { db, redis, keys, at } = operator;
  const idsOf = (fate: Fate) => page.filter((_, index) => fates[index] === fate).map((event) => event.event_id);
  const added = await enlistEvents(db, idsOf("add"), group.name);
  const again = idsOf("repeat");
  // Before the ledger says `queued`: whoever claims it then, and finds a note, would skip the work.
  await deleteDoneNotes(
    redis,
    again.map((eventId) => keys.sent(group.name, eventId)),
  );
  const repeated = await requeueDeliveries(db, again, {
    group: group.name,
    from: "done",
    reason: "replayed",
  });
  const queued = new Set([...added, ...repeated.filter((row) => row.requeued).map((row) => row.event_id)]);
  await at("requeued");
  await enqueueLogged(
    redis,
    keys.retriesStream(group.name),
    page.filter((event) => queued.has(event.event_id)),
  );
  publishStates(redis, keys.status, [...queued], "queued");
  return queued.size;
};

const replayRange = async (
  operator: Operator,
  group: Group,
  options: ReplayOptions,
  total?: number,
): Promise<ReplayReport> => {
  const { signal, onProgress } = operator;
  const report: ReplayReport = { group: group.name, ...emptyCounts(), lastEventId: null, stopped: false };
  for await (const page of pagesOf(operator, group, options)) {
    const fates = page.map((event) => fateOf(event, group, options));
    page.forEach((event, index) => {
      count(report, fates[index] ?? "other-type", event);
    });
    const queued = await replayPage(operator, group, page, fates);
    report.lastEventId = page.at(-1)?.event_id ?? report.lastEventId;
    onProgress({ done: report.read, noun: "events", ...(total === undefined ? {} : { total }) });
    await pause((queued / options.rate) * 1_000, signal);
  }
  report.stopped = signal.aborted;
  return report;
};

/**
 * Reads the log in Postgres again for one group: events that it has no delivery of get one, whatever Redis still knows of
 * them; those that are done are left alone unless they are to be done again. Other groups see nothing of it. May be stopped,
 * and run again. `total`: events to read, if they were counted.
 */
export const replay = audited({
  name: "replay",
  describe: ([group, { from, to, type, again, rate }]) => ({
    group: group.name,
    arguments: {
      from: from.kind === "time" ? from.at.toISOString() : from.eventId,
      to: to?.toISOString(),
      type,
      again: again.kind === "events" ? again.eventIds.length : again.kind === "all",
      rate,
    },
  }),
  run: replayRange,
  resultOf: ({ added, repeated, stopped }, [, { again }]) => ({
    affected: added + repeated,
    stopped,
    eventIds: again.kind === "events" ? again.eventIds : [],
  }),
});
