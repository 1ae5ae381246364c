import { LEDGER_BOUND } from "../../database/ledger-counts.ts";
import type { GroupStatus } from "../../stream/group-status.ts";
import type { RedisFacts } from "../../stream/redis-facts.ts";
import type { Command } from "../command.ts";
import { type PipelineStatus, readStatus } from "../status.ts";
import { bytes, count, counted, duration } from "../terminal/quantity.ts";
import type { Style } from "../terminal/style.ts";
import { type Cell, table } from "../terminal/table.ts";

const lag = (value: number | null, exists: boolean): Cell => {
  if (!exists) return { text: "no group", tone: "bad" };
  return value === null ? { text: "unknown", tone: "warning" } : count(value);
};

const stateOf = (group: GroupStatus): Cell => {
  if (group.forgotten) return { text: "FORGOTTEN: nobody reads it, it holds back trimming", tone: "bad" };
  if (group.paused) return { text: "paused", tone: "warning" };
  return group.consumers.length === 0 ? { text: "no consumer", tone: "warning" } : { text: "running", tone: "good" };
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
      lag(group.lag, group.exists.events),
      // A forgotten group need not have retries of its own.
      lag(group.retriesLag ?? (group.exists.retries ? null : 0), group.exists.retries || group.forgotten),
      count(group.pending),
      count(group.waitingRetries),
      group.deadLetters > 0 ? { text: count(group.deadLetters), tone: "warning" } : "0",
      group.oldestUnfinishedMs === 0 ? "-" : duration(group.oldestUnfinishedMs),
      stateOf(group),
    ]),
  );

const consumersTable = (style: Style, groups: readonly GroupStatus[]): string =>
  table(
    style,
    [
      { title: "consumer" },
      { title: "group" },
      { title: "pending", align: "right" },
      { title: "idle", align: "right" },
    ],
    groups.flatMap((group) =>
      group.consumers.map((consumer): Cell[] => [
        consumer.name,
        group.group,
        count(consumer.pending),
        duration(consumer.idleMs),
      ]),
    ),
  );

const ledgerLines = ({ ledger }: PipelineStatus): string => {
  const states = Object.entries(ledger.byState).map(([state, value]) => `${count(value)} ${state}`);
  const bound = ledger.bounded ? ` (of the latest ${count(LEDGER_BOUND)} mails)` : "";
  const { rows, bounded, oldestAgeMs } = ledger.outbox;
  const oldest = rows === 0 ? "" : `, the oldest for ${duration(oldestAgeMs)}`;
  return [
    `ledger  ${states.length === 0 ? "no mails" : states.join(", ")}${bound}`,
    `outbox  ${counted(rows, "row")}${bounded ? " or more" : ""}${oldest}`,
  ].join("\n");
};

const redisLine = (facts: RedisFacts): string => {
  const limit = facts.maxMemory === 0 ? "no limit" : `of ${bytes(facts.maxMemory)}`;
  const log = facts.appendOnly ? `appendonly ${facts.lastAppendOk ? "ok" : "FAILING"}` : "appendonly off";
  const snapshot = facts.lastSnapshotOk ? "" : ", last snapshot FAILED";
  return `redis   ${facts.version}, ${bytes(facts.usedMemory)} ${limit}, ${log}${snapshot}, up ${duration(facts.uptimeSeconds * 1_000)}`;
};

const statusText = (style: Style, status: PipelineStatus): string => {
  const hasConsumers = status.groups.some((group) => group.consumers.length > 0);
  const forgotten = status.groups.filter((group) => group.forgotten);
  return [
    groupsTable(style, status.groups),
    ...(hasConsumers ? [consumersTable(style, status.groups)] : []),
    [ledgerLines(status), redisLine(status.redis)].join("\n"),
    ...forgotten.map(({ group }) => style("warning", `if ${group} is not wanted any more: ops group drop ${group}`)),
  ].join("\n\n");
};

export const status: Command = {
  name: "status",
  summary: "Where every group, the ledger and the outbox stand",
  usage: "",
  about: [
    "lag: entries not read yet; pending: read, not acked; waiting: retries that are not due; dead: dead letters;",
    "oldest unfinished: how long the oldest entry that is unread or pending has waited.",
  ].join("\n"),
  options: {},
  words: [0, 0],
  examples: [
    ["status", "tables for people"],
    ["status --json", "the same for scripts"],
  ],
  needs: ["database", "redis"],
  async run(context) {
    const found = await readStatus(context);
    return { json: found, text: (style) => statusText(style, found) };
  },
};
