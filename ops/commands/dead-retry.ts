import type { Command } from "../command.ts";
import { groupsNamed } from "../operator.ts";
import { type RedriveReport, redrive } from "../redrive.ts";
import { counted } from "../terminal/quantity.ts";
import { printable, type Style } from "../terminal/style.ts";
import { reasonsLine, SELECTION_OPTIONS, SELECTION_USAGE, selectionOf } from "./letter-selection.ts";

const sum = (
  reports: readonly RedriveReport[],
  name: "letters" | "redriven" | "returned" | "settled" | "gone" | "unreadable",
) => reports.reduce((total, report) => total + report[name], 0);

const reportText = (style: Style, reports: readonly RedriveReport[], dryRun: boolean): string => {
  const lines: string[] = [];
  const say = (name: Parameters<typeof sum>[1], text: string) => {
    const value = sum(reports, name);
    if (value > 0) lines.push(`  ${counted(value, "letter")}: ${text}`);
  };
  say("redriven", dryRun ? "would be queued again, counters afresh" : "queued again, counters afresh");
  say("returned", "back in line as they were (unread, or unfinished by the ledger)");
  say("settled", "only taken away: their mail has been sent or closed");
  say("gone", "somebody else was quicker");
  say("unreadable", "hold no entry that could be put back; they stay (`dead drop`)");
  const reasons = reasonsLine(reports);
  const head = style("bold", `${counted(sum(reports, "letters"), "letter")}${dryRun ? ", nothing was done" : ""}`);
  const hints = reports.some((report) => (report.byReason["no_such_address"] ?? 0) > 0)
    ? [style("warning", "addresses that do not exist are suppressed: lift them first (`suppressions lift`)")]
    : [];
  const stopped = reports.some((report) => report.stopped)
    ? [style("warning", "stopped before the end; run it again to go on")]
    : [];
  return [reasons === "" ? head : `${head} (${printable(reasons)})`, ...lines, ...hints, ...stopped].join("\n");
};

export const deadRetry: Command = {
  name: "dead retry",
  summary: "Bring dead letters back in line",
  usage: `${SELECTION_USAGE} [--dry-run]`,
  about: [
    "A mail that is dead is queued again with fresh counters; a letter whose mail has been sent meanwhile is only taken",
    "away; an entry that nobody could read goes back as it was. Safe to run twice, and from two places at once: each mail",
    "goes out once. By event id it also brings back a dead mail whose letter Redis has lost.",
  ].join("\n"),
  options: SELECTION_OPTIONS,
  words: [0, 1],
  examples: [
    ["dead retry 0190c3a1-6f0e-7000-8000-000000000001", "one"],
    ["dead retry --reason retries_exhausted --dry-run", "how many would it be?"],
    ["dead retry --all", "everything, in batches; Ctrl-C stops between two"],
  ],
  needs: ["database", "redis"],
  check: selectionOf,
  async run(context) {
    const { args } = context;
    const selection = selectionOf(args);
    const dryRun = args.has("dry-run");
    const reports: RedriveReport[] = [];
    for (const group of groupsNamed(args.text("group"))) {
      reports.push(await redrive(context, group, selection, { dryRun }));
    }
    const nothing =
      selection.kind === "one" && reports.every(({ letters, redriven }) => letters === 0 && redriven === 0);
    return {
      json: { reports },
      failed: nothing || reports.some((report) => report.stopped || report.unreadable > 0),
      text: (style) => (nothing ? "no such dead letter" : reportText(style, reports, dryRun)),
    };
  },
};
