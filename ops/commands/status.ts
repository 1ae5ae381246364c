import type { HeldCount, StateCounts } from "../../database/ledger/counts.ts";
import { bytes, count, counted, duration } from "../../runtime/quantity.ts";
import type { Finding, Level } from "../../runtime/situation/describe.ts";
import { isSilent } from "../../runtime/situation/facts.ts";
import type { ConsumerStatus, GroupStatus } from "../../stream/group-status.ts";
import type { RedisFacts } from "../../stream/redis-facts.ts";
import type { PipelineStatus } from "../actions/status.ts";
import { command } from "../command.ts";
import { JSON_FLAG, type JsonFlags } from "../flags.ts";
import type { Style, Tone } from "../terminal/style.ts";
import { type Cell, table } from "../terminal/table.ts";

const lag = (value: number | null, counted: number | null, exists: boolean): Cell => {
  if (!exists) return { text: "no group", tone: "bad" };
  if (value !== null) return count(value);
  return { text: counted === null ? "unknown" : `unknown, ${count(counted)} counted`, tone: "warning" };
};

const stateOf = (group: GroupStatus): Cell => {
  if (group.orphaned) return { text: "ORPHANED: no consumer reads it, it holds back trimming", tone: "bad" };
  if (group.paused) {
    return { text: group.pausedFor === null ? "paused" : `paused: ${group.pausedFor}`, tone: "warning" };
  }
  if (group.consumers.length === 0) return { text: "no consumer", tone: "warning" };
  const isStopped = group.consumers.some(({ report }) => report?.breaker.state === "open");
  return isStopped ? { text: "waits for the other system", tone: "bad" } : { text: "running", tone: "good" };
};

/** What a consumer does now, in a few words. */
const doingOf = ({ silentMs, report }: ConsumerStatus): Cell => {
  if (silentMs !== null && isSilent({ silentMs })) return { text: `silent for ${duration(silentMs)}`, tone: "bad" };
  if (report === null) return { text: "says nothing", tone: "dim" };
  const [fault] = Object.keys(report.faults);
  if (fault !== undefined) return { text: `stuck: ${fault}`, tone: "bad" };
  if (report.breaker.state !== "closed") {
    const reason = report.breaker.reason === undefined ? "" : `: ${report.breaker.reason}`;
    return { text: `breaker ${report.breaker.state}${reason}`, tone: "bad" };
  }
  return report.state === "reading" ? { text: "reading", tone: "good" } : { text: report.state, tone: "warning" };
};

const groupsTable = (style: Style, groups: readonly GroupStatus[]): string =>
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
      { title: "state" },
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
      stateOf(group),
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
        consumer.report === null ? "-" : duration(now.getTime() - Date.parse(consumer.report.startedAt)),
        doingOf(consumer),
      ]),
    ),
  );

const heldText = ({ reason, count: value, firstUntil }: HeldCount): string =>
  `${count(value)} ${reason} (${firstUntil === null ? "until you release them" : `the first until ${firstUntil.toISOString()}`})`;

const ledgerLines = ({ ledger }: PipelineStatus): string => {
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
    `outbox  ${counted(rows, "row")}${bounded ? " or more" : ""}${oldest}`,
  ].join("\n");
};

const redisLine = (facts: RedisFacts): string => {
  const limit = facts.maxMemory === 0 ? "no limit" : `of ${bytes(facts.maxMemory)}`;
  const log = facts.appendOnly ? `appendonly ${facts.lastAppendOk ? "ok" : "FAILING"}` : "appendonly off";
  const snapshot = facts.lastSnapshotOk ? "" : ", last snapshot FAILED";
  return `redis   ${facts.version}, ${bytes(facts.usedMemory)} ${limit}, ${log}${snapshot}, up ${duration(facts.uptimeSeconds * 1_000)}`;
};

const TONES: Readonly<Record<Level, Tone>> = { trouble: "bad", notice: "warning", well: "good" };

const findingsText = (style: Style, findings: readonly Finding[]): string =>
  findings
    .map(({ level, sentence, remedy }) => {
      const what = style(TONES[level], `${sentence}.`);
      return remedy === undefined ? what : `${what}\n  ${style("dim", remedy)}`;
    })
    .join("\n");

const statusText = (style: Style, status: PipelineStatus, now: Date): string => {
  const hasConsumers = status.groups.some((group) => group.consumers.length > 0);
  const orphaned = status.groups.filter((group) => group.orphaned);
  return [
    groupsTable(style, status.groups),
    ...(hasConsumers ? [consumersTable(style, status.groups, now)] : []),
    [ledgerLines(status), redisLine(status.redis)].join("\n"),
    ...orphaned.map(({ group }) => style("warning", `if ${group} is no longer needed: ops group drop ${group}`)),
  ].join("\n\n");
};

export const status = command<JsonFlags>({
  brief: "Show the state of every group, of the ledger, the outbox and Redis",
  about: [
    "lag: entries not read yet; pending: read, not acked; waiting: first attempts and retries that are not due; dead: dead",
    "letters; oldest unfinished: how long the oldest unread or pending entry has waited. Above the tables it says in sentences",
    "what is wrong, and since when. Exit 1 if a store is away.",
  ].join("\n"),
  parameters: { flags: { json: JSON_FLAG } },
  examples: [
    ["status", "tables for people"],
    ["status --json", "the same for scripts"],
  ],
  // It reports itself which store is away.
  needs: [],
  async run(context) {
    const { readSituation } = await import("../actions/situation.ts");
    const { findings, status: found } = await readSituation(context, context.now());
    return {
      json: { findings, ...found },
      failed: found === undefined,
      text: (style) =>
        [findingsText(style, findings), ...(found === undefined ? [] : [statusText(style, found, context.now())])].join(
          "\n\n",
        ),
    };
  },
});
