import { count, duration, relative } from "../../runtime/quantity.ts";
import type { ConsumerList, ListedConsumer } from "../actions/consumers.ts";
import { command } from "../command.ts";
import { COMMON_FLAGS, type CommonFlags, GROUP_FLAG } from "../flags.ts";
import type { Style } from "../terminal/style.ts";
import { type Cell, table } from "../terminal/table.ts";
import { doingCell, heardOf } from "./doing-cell.ts";

/** What the other system grants it: pieces at a time, and a second. */
const grantedText = ({ report }: ListedConsumer): string => {
  const pieces = report?.granted === undefined ? [] : [`${count(report.granted.allowed)} at a time`];
  const rate = report?.ratePerSecond === undefined ? [] : [`${count(report.ratePerSecond)}/s for all`];
  return [...pieces, ...rate].join(", ");
};

/** What the other system said last, and what the consumer does about it. */
const wordsText = ({ report }: ListedConsumer): string => {
  if (report === null) return "";
  const { breaker, granted } = report;
  const probe = breaker.probeInMs === undefined ? [] : [`next probe in ${duration(breaker.probeInMs)}`];
  const said = breaker.state === "closed" ? granted?.words : (breaker.words ?? granted?.words);
  return [...(said === undefined ? [] : [said]), ...probe].join("; ");
};

const rowOf = (consumer: ListedConsumer, now: Date): Cell[] => {
  const { report, doing, pending } = consumer;
  return [
    consumer.name,
    consumer.group,
    doingCell(doing),
    doing.since === null ? "" : relative(doing.since, now),
    report === null ? "-" : `${count(report.inFlight)} of ${count(report.concurrency)}`,
    count(pending),
    heardOf(consumer),
    report === null ? "-" : duration(now.getTime() - Date.parse(report.startedAt)),
    grantedText(consumer),
    wordsText(consumer),
  ];
};

const listText = (style: Style, { consumers, unread }: ConsumerList, now: Date): string => {
  const none =
    unread.length === 0
      ? []
      : [style("warning", `no consumer reads: ${unread.join(", ")}. Start one: bun run consumer`)];
  if (consumers.length === 0) return none.join("");
  const rows = table(
    style,
    [
      { title: "consumer" },
      { title: "group" },
      { title: "now", wraps: true },
      { title: "since", wraps: true },
      { title: "in flight", align: "right" },
      { title: "pending", align: "right" },
      { title: "heard of", align: "right" },
      { title: "up", align: "right" },
      { title: "granted", wraps: true },
      { title: "last words", wraps: true },
    ],
    consumers.map((consumer) => rowOf(consumer, now)),
  );
  return [rows, ...none].join("\n\n");
};

interface Flags extends CommonFlags {
  readonly group?: string;
}

export const consumersCommand = command<Flags>({
  brief: "List consumers: what each does now and since when, its breaker, what the other system grants it",
  about: [
    "A consumer is listed from its start on, before it has read an entry. in flight: pieces in work, of those that it may work on",
    "at a time; pending: entries read and not acked: those in flight, and those that it keeps until mail that is likelier to succeed",
    "is out; heard of: its last sign of life.",
  ].join("\n"),
  parameters: { flags: { group: GROUP_FLAG, ...COMMON_FLAGS } },
  examples: [
    ["consumers", "who works, and who waits for what"],
    ["consumers --group welcome-email --json", "the same of one group, for scripts"],
  ],
  needs: ["redis"],
  async run(context, { group }) {
    const [{ listConsumers }, { groupsNamed }] = await Promise.all([
      import("../actions/consumers.ts"),
      import("../actions/operator.ts"),
    ]);
    const found = await listConsumers(context, groupsNamed(context, group), context.now());
    return { json: found, text: (style) => listText(style, found, context.now()) };
  },
});
