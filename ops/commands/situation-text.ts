import type { HeldCount, StateCounts } from "../../database/ledger/counts.ts";
import { bytes, count, counted, duration } from "../../runtime/quantity.ts";
import type { Finding, Level } from "../../runtime/situation/finding.ts";
import { meaningsOf } from "../../runtime/situation/reasons.ts";
import type { GroupStatus } from "../../stream/group-status.ts";
import type { RedisFacts } from "../../stream/redis-facts.ts";
import { doingOf } from "../actions/doing.ts";
import { stateOfGroup } from "../actions/group-state.ts";
import { retentionWords } from "../actions/retention-words.ts";
import type { Situation } from "../actions/situation.ts";
import type { PipelineStatus } from "../actions/status.ts";
import type { Style, Tone } from "../terminal/style.ts";
import { type Cell, table } from "../terminal/table.ts";
import { doingCell, heardOf } from "./doing-cell.ts";

const TONES: Readonly<Record<Level, Tone>> = { trouble: "bad", notice: "warning", well: "good" };

const lag = (value: number | null, counted: number | null, exists: boolean): Cell => {
  if (!exists) return { text: "no group", tone: "bad" };
  if (value !== null) return count(value);
  return { text: counted === null ? "unknown" : `unknown, ${count(counted)} counted`, tone: "warning" };
};

const stateOf = (group: GroupStatus, now: Date): Cell => {
  const { words, level } = stateOfGroup(group, now);
  const more = group.orphaned
    ? ": no consumer reads it, it holds back trimming"
    : group.pausedFor === null
      ? ""
      : `: ${group.pausedFor}`;
  return { text: `${words}${more}`, tone: TONES[level] };
};

const groupsTable = (style: Style, groups: readonly GroupStatus[], now: Date): string =>
  table(
    style,
    [
      { title: "group" },
      { title: "lag", align: "right" },
      { title: "retries lag", align: "right" },
      { title: "pending", align: "right" },
      { title: "waiting", align: "right" },
      { title: "dead", align: "right" },
      { title: "oldest unfinished", align: "right" },
      { title: "state", wraps: true },
    ],
    groups.map((group) => [
      { text: group.group, tone: "bold" },
      lag(group.lag, group.counted.lag, group.exists.events),
      // An orphaned group need not have a retries stream.
      lag(
        group.retriesLag ?? (group.exists.retries ? null : 0),
        group.counted.retriesLag,
        group.exists.retries || group.orphaned,
      ),
      count(group.pending),
      count(group.waitingRetries),
      group.deadLetters > 0 ? { text: count(group.deadLetters), tone: "warning" } : "0",
      group.oldestUnfinishedMs === 0 ? "-" : duration(group.oldestUnfinishedMs),
      stateOf(group, now),
    ]),
  );

const consumersTable = (style: Style, groups: readonly GroupStatus[], now: Date): string =>
  table(
    style,
    [
      { title: "consumer" },
      { title: "group" },
      { title: "pending", align: "right" },
      { title: "in flight", align: "right" },
      { title: "idle", align: "right" },
      { title: "heard of", align: "right" },
      { title: "up", align: "right" },
      { title: "now" },
    ],
    groups.flatMap((group) =>
      group.consumers.map((consumer): Cell[] => [
        consumer.name,
        group.group,
        count(consumer.pending),
        consumer.report === null ? "-" : count(consumer.report.inFlight),
        consumer.idleMs === null ? "-" : duration(consumer.idleMs),
        heardOf(consumer),
        consumer.report === null ? "-" : duration(now.getTime() - Date.parse(consumer.report.startedAt)),
        doingCell(doingOf(consumer, now)),
      ]),
    ),
  );

const heldText = ({ reason, count: value, firstUntil }: HeldCount): string =>
  `${count(value)} ${reason} (${firstUntil === null ? "until you release them" : `the first until ${firstUntil.toISOString()}`})`;

const ledgerLines = ({ ledger, retention }: PipelineStatus, now: Date): string => {
  const ofGroup = ([group, byState]: readonly [string, StateCounts]) => {
    const states = Object.entries(byState).map(([state, value]) => `${count(value)} ${state}`);
    const until = ledger.waitsUntil[group];
    const first = until === undefined ? "" : ` (the first waits until ${until.toISOString()})`;
    const held = ledger.held.filter((each) => each.group === group).map(heldText);
    return `${group}: ${states.join(", ")}${first}${held.length === 0 ? "" : `; held: ${held.join(", ")}`}`;
  };
  const groups = Object.entries(ledger.byGroup).map(ofGroup);
  const bound = ledger.bounded ? ` (of the latest ${count(ledger.counted)} deliveries)` : "";
  const { rows, bounded, oldestAgeMs } = ledger.outbox;
  const oldest = rows === 0 ? "" : `, the oldest for ${duration(oldestAgeMs)}`;
  return [
    `ledger  ${groups.length === 0 ? "no deliveries" : groups.join("\n        ")}${bound}`,
    `        ${retentionWords(retention, now)}`,
    `outbox  ${counted(rows, "row")}${bounded ? " or more" : ""}${oldest}`,
  ].join("\n");
};

const redisLine = (facts: RedisFacts): string => {
  const limit = facts.maxMemory === 0 ? ", no limit" : ` of ${bytes(facts.maxMemory)}`;
  const log = facts.appendOnly ? `appendonly ${facts.lastAppendOk ? "ok" : "FAILING"}` : "appendonly off";
  const snapshot = facts.lastSnapshotOk ? "" : ", last snapshot FAILED";
  return `redis   ${facts.version}, ${bytes(facts.usedMemory)}${limit}, ${log}${snapshot}, up ${duration(facts.uptimeSeconds * 1_000)}`;
};

const findingsText = (style: Style, findings: readonly Finding[]): string =>
  findings
    .flatMap(({ level, sentence, reason, remedy }) => [
      style(TONES[level], `${sentence}.`),
      ...meaningsOf([reason ?? null]).map(([name, meaning]) => `  ${name}: ${meaning}.`),
      ...(remedy === undefined ? [] : [`  ${style("dim", remedy)}`]),
    ])
    .join("\n");

const statusText = (style: Style, status: PipelineStatus, now: Date): string => {
  const hasConsumers = status.groups.some((group) => group.consumers.length > 0);
  const orphaned = status.groups.filter((group) => group.orphaned);
  return [
    groupsTable(style, status.groups, now),
    ...(hasConsumers ? [consumersTable(style, status.groups, now)] : []),
    [ledgerLines(status, now), redisLine(status.redis)].join("\n"),
    ...orphaned.map(({ group }) => style("warning", `if ${group} is no longer needed: ops group drop ${group}`)),
  ].join("\n\n");
};

/** All that is known, for people: what it means first. */
export const situationText = (style: Style, { findings, status }: Situation, now: Date): string =>
  [findingsText(style, findings), ...(status === undefined ? [] : [statusText(style, status, now)])].join("\n\n");
