import { BACKLOG_BOUND } from "../../../database/ledger/counts.ts";
import { type Doing, doingOf } from "../../../ops/actions/doing.ts";
import { stateOfGroup } from "../../../ops/actions/group-state.ts";
import type { Situation } from "../../../ops/actions/situation.ts";
import type { CountedStatus } from "../../../ops/actions/situation-facts.ts";
import type { Finding, Level } from "../../../runtime/situation/finding.ts";
import type { ConsumerStatus, GroupStatus } from "../../../stream/group-status.ts";
import type { History } from "../../../stream/history.ts";

/** A count that may be cut off: at least so many. */
export interface Count {
  readonly value: number;
  readonly isBound: boolean;
}

export interface ConsumerRow {
  readonly name: string;
  readonly group: string;
  readonly doing: Doing;
  readonly status: ConsumerStatus;
}

/** What the console shows of a group. */
export interface GroupRow {
  readonly name: string;
  readonly level: Level;
  /** Its state in a word or two, however much went wrong before. */
  readonly state: string;
  readonly stateLevel: Level;
  /** What to say about it, the most important first. */
  readonly findings: readonly Finding[];
  /** Deliveries that nobody works on, and that are due. */
  readonly waits: Count;
  readonly inFlight: number;
  /** Until the group's delay is over. */
  readonly delayed: Count;
  readonly retrying: Count;
  readonly dead: number;
  readonly held: number;
  readonly oldestMs: number;
  readonly lastHour: History;
  readonly consumers: readonly ConsumerRow[];
  /** Nothing happens, nothing has in the last hour, and nothing is wrong. */
  readonly isQuiet: boolean;
}

/** A system that consumers work with: a mail server, a receiver of webhooks. */
export interface SystemRow {
  readonly name: string;
  readonly groups: readonly string[];
  readonly level: Level;
  readonly state: string;
  /** Its own words, if it refuses. */
  readonly words: string | undefined;
  readonly since: Date | null;
}

const RANK: Readonly<Record<Level, number>> = { trouble: 0, notice: 1, well: 2 };

const exactly = (value: number): Count => ({ value, isBound: false });

/**
 * What waits, by the ledger: unread entries are also those of events that the group has nothing to do with. The ledger is counted up to
 * a bound; beyond it, and of a group that is not declared, the entries say how many.
 */
const waitsOf = (group: GroupStatus, { backlogs, ledger }: CountedStatus): Count => {
  const unread = (group.lag ?? group.counted.lag ?? 0) + (group.retriesLag ?? group.counted.retriesLag ?? 0);
  const backlog = backlogs[group.group];
  if (backlog === undefined) return exactly(unread);
  const { unfinished, soon } = backlog;
  if (unfinished >= BACKLOG_BOUND) return { value: Math.max(unread, unfinished), isBound: unread < unfinished };
  const { retrying = 0, uncertain = 0 } = ledger.byGroup[group.group] ?? {};
  return exactly(Math.max(0, unfinished - soon - retrying - uncertain - inFlightOf(group)));
};

/** What consumers keep is read and pending, but nobody works on it. What one kept that is gone, its peers have. */
const inFlightOf = ({ pending, consumers }: GroupStatus): number =>
  Math.max(0, pending - consumers.reduce((sum, each) => sum + Math.min(each.pending, each.report?.kept ?? 0), 0));

const rowOf = (group: GroupStatus, status: CountedStatus, findings: readonly Finding[], now: Date): GroupRow => {
  const { group: name } = group;
  const consumers = group.consumers.map((each) => ({
    name: each.name,
    group: name,
    doing: doingOf(each, now),
    status: each,
  }));
  const waits = waitsOf(group, status);
  const backlog = status.backlogs[name];
  const waiting = backlog === undefined ? 0 : backlog.waiting + backlog.soon;
  const held = status.ledger.held.filter((each) => each.group === name).reduce((sum, { count }) => sum + count, 0);
  const own = findings.filter(({ group: first, alsoOf = [] }) => first === name || alsoOf.includes(name));
  const worst = own.toSorted((left, right) => RANK[left.level] - RANK[right.level])[0]?.level ?? "well";
  const retrying = status.ledger.byGroup[name]?.retrying ?? 0;
  const idle = [waits.value, group.pending, waiting, retrying, group.deadLetters, held, group.lastHour.total];
  const { words: state, level: stateLevel } = stateOfGroup(group, now);
  const level = group.orphaned && worst === "well" ? "notice" : worst;
  return {
    name,
    level,
    state,
    stateLevel,
    findings: own,
    waits,
    inFlight: inFlightOf(group),
    delayed: { value: waiting, isBound: waiting >= BACKLOG_BOUND },
    retrying: { value: retrying, isBound: status.ledger.bounded },
    dead: group.deadLetters,
    held,
    oldestMs: group.oldestUnfinishedMs,
    lastHour: group.lastHour,
    consumers,
    isQuiet: level === "well" && idle.every((count) => count === 0),
  };
};

const isBusier = (left: GroupRow, right: GroupRow): number =>
  RANK[left.level] - RANK[right.level] ||
  right.waits.value + right.inFlight - (left.waits.value + left.inFlight) ||
  right.lastHour.total - left.lastHour.total ||
  left.name.localeCompare(right.name, "en", { numeric: true });

/** What is shown of each group: those with a problem first, then the busiest. Pure. */
export const groupRows = ({ findings, status }: Situation, now: Date): readonly GroupRow[] =>
  status === undefined ? [] : status.groups.map((group) => rowOf(group, status, findings, now)).toSorted(isBusier);

/** The consumers of all groups: those that cannot do their work first. */
export const consumerRows = (groups: readonly GroupRow[]): readonly ConsumerRow[] =>
  groups
    .flatMap(({ consumers }) => consumers)
    .toSorted((left, right) => Number(right.doing.kind === "failing") - Number(left.doing.kind === "failing"));

const systemOf = (name: string, consumers: readonly ConsumerRow[]): SystemRow => {
  const groups = [...new Set(consumers.map(({ group }) => group))];
  const breakers = consumers.flatMap(({ status }) => status.report?.breaker ?? []);
  const open = breakers
    .filter(({ state }) => state !== "closed")
    .toSorted(
      (left, right) =>
        Number(right.state === "open") - Number(left.state === "open") || left.since.localeCompare(right.since),
    )[0];
  if (open === undefined) return { name, groups, level: "well", state: "works", words: undefined, since: null };
  const since = new Date(open.since);
  if (open.state === "recovering")
    return { name, groups, level: "notice", state: "works again", words: undefined, since };
  const state = open.reason === undefined ? open.state : `${open.state}: ${open.reason}`;
  return { name, groups, level: "trouble", state, words: open.words, since };
};

/** The systems that consumers work with, as they say themselves; those that refuse first. */
export const systemRows = (groups: readonly GroupRow[]): readonly SystemRow[] => {
  const named = groups
    .flatMap(({ consumers }) => consumers)
    .filter(({ doing, status }) => status.report?.system !== undefined && !doing.words.startsWith("silent"));
  return [...Map.groupBy(named, ({ status }) => status.report?.system ?? "")]
    .map(([name, consumers]) => systemOf(name, consumers))
    .toSorted((left, right) => RANK[left.level] - RANK[right.level]);
};
