import { type Arguments, type Command, DRY_RUN_OPTION, UsageError } from "../command.ts";
import { groupsNamed, NotFound } from "../operator.ts";
import { type ReplayReport, replay } from "../replay.ts";
import { count, counted } from "../terminal/quantity.ts";
import type { Style } from "../terminal/style.ts";

const ENTRY_ID = /^\d+(-\d+)?$/;
const AGO = /^(\d+)(s|m|min|h|d)$/;
const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * A point in the log: an entry's id, a time (ISO 8601), or how long ago (`90m`, `2h`). As XRANGE takes it: a number of ms
 * alone means the first entry of that millisecond, or the last where the range ends.
 *
 * @throws {UsageError}
 */
export const pointInLog = (text: string, now: Date): string => {
  if (ENTRY_ID.test(text)) return text;
  const ago = AGO.exec(text);
  if (ago !== null) return String(now.getTime() - Number(ago[1]) * (UNIT_MS[ago[2] ?? ""] ?? 0));
  const time = Date.parse(text);
  if (Number.isNaN(time) || time < 0) {
    throw new UsageError(`${text}: expected an entry's id, a time such as 2026-11-25T08:00:00Z, or an age such as 2h`);
  }
  return String(time);
};

const reportText = (style: Style, report: ReplayReport): string => {
  const closed = Object.entries(report.closed)
    .map(([state, value]) => `${count(value)} ${state}`)
    .join(", ");
  return [
    style("bold", `${counted(report.read, "entry", "entries")} read`),
    `  ${count(report.replayed)} ${report.dryRun ? "would be put" : "put"} in line for ${report.group}`,
    ...(closed === "" ? [] : [`  left out, for nothing would come of them: ${closed}`]),
    ...(report.notItsOwn === 0 ? [] : [`  ${count(report.notItsOwn)} are not this group's`]),
    ...(report.stopped
      ? [style("warning", `stopped before the end; to go on: --from ${report.lastId ?? report.from}`)]
      : []),
  ].join("\n");
};

const wantedOf = (args: Arguments, now: Date): { group: string; from: string; to: string | undefined } => {
  const group = args.text("group");
  const from = args.text("from");
  const to = args.text("to");
  if (group === undefined) throw new UsageError("expected --group G");
  if (from === undefined) throw new UsageError("expected --from ID|TIME");
  return { group, from: pointInLog(from, now), to: to === undefined ? undefined : pointInLog(to, now) };
};

export const replayCommand: Command = {
  name: "replay",
  summary: "Read the log again for one group, from any point within the retention",
  usage: "--group G --from ID|TIME [--to ID|TIME] [--dry-run]",
  about: [
    "Puts the entries into the group's own retries stream: other groups see nothing of it. Mails that are final or held are",
    "left out and counted; the others are guarded by their claim, so no mail goes out twice by this. A dead mail is not",
    "brought back by it: that is `dead retry`.",
  ].join("\n"),
  options: {
    group: { type: "string", placeholder: "G", about: "the group that reads again" },
    from: {
      type: "string",
      placeholder: "ID|TIME",
      about: "first entry: an id, a time (ISO 8601), or an age (2h, 90m)",
    },
    to: { type: "string", placeholder: "ID|TIME", about: "last entry (default: the newest one now)" },
    "dry-run": DRY_RUN_OPTION,
  },
  words: [0, 0],
  examples: [
    ["replay --group welcome-email --from 2h --dry-run", "how many of the last two hours are unfinished?"],
    ["replay --group welcome-email --from 2026-11-25T08:00:00Z", "from a time"],
    ["replay --group welcome-email --from 1764000000000-0 --to 1764000600000-0", "between two entries"],
  ],
  needs: ["database", "redis"],
  check: (args) => wantedOf(args, new Date()),
  async run(context) {
    const { args } = context;
    const { group: name, ...range } = wantedOf(args, context.now());
    const [group] = groupsNamed(name);
    if (group === undefined) throw new NotFound(`no group is named ${name}`);
    const report = await replay(context, group, range, { dryRun: args.has("dry-run") });
    return { json: report, failed: report.stopped, text: (style) => reportText(style, report) };
  },
};
