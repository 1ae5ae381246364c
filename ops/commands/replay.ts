import { isUuid } from "../../database/uuid.ts";
import { count, counted } from "../../runtime/quantity.ts";
import { momentOf } from "../actions/moment.ts";
import type { Again, LogPoint, ReplayCounts, ReplayReport } from "../actions/replay.ts";
import { command, UsageError } from "../command.ts";
import {
  ACT_FLAGS,
  type ActFlags,
  DRY_RUN_FLAG,
  eventId,
  momentFlag,
  proposeGroups,
  SWITCH,
  text,
  wholeNumber,
  YES_FLAG,
} from "../flags.ts";
import { confirmed, mayChange, NOT_CONFIRMED } from "../terminal/confirm.ts";
import type { Style } from "../terminal/style.ts";

/** A point in the log: an event id, or a time. */
export const pointInLog = (value: string, now: Date): LogPoint =>
  isUuid(value) ? { kind: "event", eventId: value.toLowerCase() } : { kind: "time", at: momentOf(value, now) };

const countsLines = (counts: ReplayCounts, verb: string): readonly string[] => {
  const closed = Object.entries(counts.closed).map(([state, value]) => `${count(value)} ${state}`);
  return [
    `  ${count(counts.added)} new to the group ${verb} queued`,
    ...(counts.repeated === 0 ? [] : [`  ${count(counts.repeated)} done before ${verb} queued again`]),
    ...(counts.inProgress === 0 ? [] : [`  ${count(counts.inProgress)} in progress already`]),
    ...(closed.length === 0 ? [] : [`  left alone: ${closed.join(", ")}`]),
    ...(counts.otherTypes === 0 ? [] : [`  ${count(counts.otherTypes)} of other types`]),
  ];
};

const reportText = (style: Style, report: ReplayReport, from: string): string =>
  [
    style("bold", `${counted(report.read, "event")} of the log read for ${report.group}`),
    ...countsLines(report, "are"),
    ...(report.stopped
      ? [style("warning", `stopped before the end; to continue: --from ${report.lastEventId ?? from}`)]
      : []),
  ].join("\n");

interface Flags extends ActFlags {
  readonly group: string;
  readonly from: string;
  readonly to?: Date;
  readonly type?: string;
  readonly again?: readonly string[];
  readonly againAll?: boolean;
  readonly confirm?: string;
  readonly rate: number;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

const againOf = ({ again, againAll }: Flags): Again => {
  if (againAll === true) return { kind: "all" };
  return again === undefined ? { kind: "none" } : { kind: "events", eventIds: again.map((id) => id.toLowerCase()) };
};

export const replayCommand = command<Flags>({
  brief: "Read the durable log again for one group, from any point",
  about: [
    "The log is in Postgres, so this reaches beyond what Redis keeps, and works for a group that is new: its events get a",
    "delivery each. What is done is not done again unless --again names it, or --again-all is confirmed. Dead deliveries are",
    "for `dead retry`. Counts first; may be stopped, and run again.",
  ].join("\n"),
  parameters: {
    flags: {
      group: {
        kind: "parsed",
        parse: text,
        proposeCompletions: proposeGroups,
        placeholder: "G",
        brief: "The group that reads again",
      },
      from: {
        kind: "parsed",
        parse: (value: string) => {
          pointInLog(value, new Date());
          return value;
        },
        placeholder: "TIME|EVENT_ID",
        brief: "First event: a time (ISO 8601), an age (2h, 90m), or an event id",
      },
      to: momentFlag("Last moment (default: now)"),
      type: { kind: "parsed", parse: text, optional: true, placeholder: "PATTERN", brief: "Only these types: user.#" },
      again: {
        kind: "parsed",
        parse: eventId,
        variadic: true,
        optional: true,
        placeholder: "EVENT_ID",
        brief: "Do this event again although it is done; may be repeated",
      },
      againAll: { ...SWITCH, brief: "Do all again that is done; asks for the group's name" },
      confirm: {
        kind: "parsed",
        parse: text,
        optional: true,
        placeholder: "G",
        brief: "The group's name once more, where there is no terminal to ask",
      },
      rate: {
        kind: "parsed",
        parse: wholeNumber(100_000),
        default: "1000",
        placeholder: "N",
        brief: "Events a second at the most",
      },
      dryRun: DRY_RUN_FLAG,
      yes: YES_FLAG,
      ...ACT_FLAGS,
    },
  },
  examples: [
    ["replay --group welcome-email --from 2h --dry-run", "count only"],
    ["replay --group welcome-email --from 2026-11-25T08:00:00Z --to 2026-11-26T08:00:00Z", "a day"],
    ["replay --group welcome-email --from 90d --type user.signed_up.v1", "the past, for a group that is new"],
  ],
  needs: ["database", "redis"],
  publishes: true,
  check({ again, againAll }) {
    if (again !== undefined && againAll === true) throw new UsageError("expected only one of --again and --again-all");
  },
  async run(context, flags) {
    const [{ countReplay, replay }, { groupNamed }] = await Promise.all([
      import("../actions/replay.ts"),
      import("../actions/operator.ts"),
    ]);
    const group = groupNamed(context, flags.group);
    const again = againOf(flags);
    const { yes } = flags;
    const from = pointInLog(flags.from, context.now());
    const options = { from, to: flags.to, type: flags.type, again, rate: flags.rate };
    const counts = await countReplay(context, group, options);
    if (flags.dryRun === true || counts.stopped) {
      return {
        json: { group: group.name, dryRun: true, ...counts },
        failed: counts.stopped,
        text: (style) =>
          [
            style("bold", `${counted(counts.read, "event")} of the log counted for ${group.name}`),
            ...countsLines(counts, "would be"),
          ].join("\n"),
      };
    }
    if (again.kind === "all" && counts.repeated > 0) {
      const question = `${counted(counts.repeated, "event")} that ${group.name} has done would be done again.`;
      const isConfirmed = flags.confirm === group.name || (await confirmed(question, group.name, context.signal));
      if (!isConfirmed) {
        return {
          json: { group: group.name, confirmed: false, ...counts },
          failed: true,
          text: () => `nothing was queued: not confirmed (without a terminal, give --confirm ${group.name})`,
        };
      }
    } else if (!(await mayChange(counts.added + counts.repeated, "deliveries", { yes, signal: context.signal }))) {
      return {
        json: { group: group.name, confirmed: false, ...counts },
        failed: true,
        text: () => `nothing was queued: ${NOT_CONFIRMED}`,
      };
    }
    const report = await replay(context, group, options, counts.read);
    return { json: report, failed: report.stopped, text: (style) => reportText(style, report, flags.from) };
  },
});
