import { count, counted } from "../actions/quantity.ts";
import type { ReplayReport } from "../actions/replay.ts";
import { command } from "../command.ts";
import { DRY_RUN_FLAG, JSON_FLAG, type JsonFlags, proposeGroups, text } from "../flags.ts";
import type { Style } from "../terminal/style.ts";

const ENTRY_ID = /^\d+(-\d+)?$/;
const AGO = /^(\d+)(s|m|min|h|d)$/;
const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * A point in the log: an entry id, a time (ISO 8601), or an age (`90m`, `2h`), as an id for XRANGE. A number of ms alone
 * means the first entry of that millisecond, or the last one where the range ends.
 *
 * @throws {SyntaxError}
 */
export const pointInLog = (value: string, now: Date): string => {
  if (ENTRY_ID.test(value)) return value;
  const ago = AGO.exec(value);
  if (ago !== null) return String(now.getTime() - Number(ago[1]) * (UNIT_MS[ago[2] ?? ""] ?? 0));
  const time = Date.parse(value);
  if (Number.isNaN(time) || time < 0) {
    throw new SyntaxError("expected an entry id, a time such as 2026-11-25T08:00:00Z, or an age such as 2h");
  }
  return String(time);
};

const reportText = (style: Style, report: ReplayReport): string => {
  const closed = Object.entries(report.closed)
    .map(([state, value]) => `${count(value)} ${state}`)
    .join(", ");
  return [
    style("bold", `${counted(report.read, "entry", "entries")} read`),
    `  ${count(report.replayed)} ${report.dryRun ? "would be queued" : "queued"} for ${report.group}`,
    ...(closed === "" ? [] : [`  left out, because their mails are closed: ${closed}`]),
    ...(report.notItsOwn === 0 ? [] : [`  ${count(report.notItsOwn)} are not this group's`]),
    ...(report.stopped
      ? [style("warning", `stopped before the end; to continue: --from ${report.lastId ?? report.from}`)]
      : []),
  ].join("\n");
};

interface Flags extends JsonFlags {
  readonly group: string;
  readonly from: string;
  readonly to?: string;
  readonly dryRun?: boolean;
}

const pointFlag = (brief: string) =>
  ({
    kind: "parsed",
    parse: (value: string) => pointInLog(value, new Date()),
    placeholder: "ID|TIME",
    brief,
  }) as const;

export const replayCommand = command<Flags>({
  brief: "Read the log again for one group, from any point within the retention",
  about: [
    "Publishes the entries to the group's own retries stream, which no other group reads. Mails that are final or held are",
    "left out and counted; the others are guarded by their claim, so a replay makes no duplicates. It does not recover dead",
    "mails: `dead retry` does.",
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
      from: pointFlag("First entry: an id, a time (ISO 8601), or an age (2h, 90m)"),
      to: { ...pointFlag("Last entry (default: the newest one now)"), optional: true },
      dryRun: DRY_RUN_FLAG,
      json: JSON_FLAG,
    },
  },
  examples: [
    ["replay --group welcome-email --from 2h --dry-run", "how many of the last two hours are unfinished?"],
    ["replay --group welcome-email --from 2026-11-25T08:00:00Z", "from a time"],
    ["replay --group welcome-email --from 1764000000000-0 --to 1764000600000-0", "between two entries"],
  ],
  needs: ["database", "redis"],
  async run(context, { group, from, to, dryRun = false }) {
    const [{ replay }, { groupNamed }] = await Promise.all([
      import("../actions/replay.ts"),
      import("../actions/operator.ts"),
    ]);
    const report = await replay(context, groupNamed(group), { from, to }, { dryRun });
    return { json: report, failed: report.stopped, text: (style) => reportText(style, report) };
  },
});
