import { counted } from "../../runtime/quantity.ts";
import type { RedriveReport } from "../actions/redrive.ts";
import { command } from "../command.ts";
import { printable, type Style } from "../terminal/style.ts";
import {
  actOnLetters,
  NOTHING_DONE,
  reasonsLine,
  SELECTION_PARAMETERS,
  type SelectionFlags,
  selectionOf,
} from "./letter-selection.ts";

const sum = (
  reports: readonly RedriveReport[],
  name: "letters" | "redriven" | "returned" | "settled" | "suppressed" | "gone" | "unreadable",
) => reports.reduce((total, report) => total + report[name], 0);

const reportText = (style: Style, reports: readonly RedriveReport[], dryRun: boolean): string => {
  const lines: string[] = [];
  const say = (name: Parameters<typeof sum>[1], text: string) => {
    const value = sum(reports, name);
    if (value > 0) lines.push(`  ${counted(value, "letter")}: ${text}`);
  };
  say("redriven", dryRun ? "would be queued again with fresh counters" : "queued again with fresh counters");
  say("returned", "republished unchanged (could not be read, or the delivery is not final)");
  say("settled", "only deleted: the delivery is done or closed");
  say("suppressed", `${dryRun ? "would stay" : "stay"} dead: the address is suppressed`);
  say("gone", "another operator was faster");
  say("unreadable", "hold no entry to republish; they stay (`dead drop`)");
  const reasons = reasonsLine(reports);
  const head = style("bold", `${counted(sum(reports, "letters"), "letter")}${dryRun ? ", nothing was done" : ""}`);
  const hints =
    sum(reports, "suppressed") > 0
      ? [style("warning", "to send to them all the same: `suppressions lift`, then this again")]
      : [];
  const stopped = reports.some((report) => report.stopped)
    ? [style("warning", "stopped before the end; run it again to continue")]
    : [];
  return [reasons === "" ? head : `${head} (${printable(reasons)})`, ...lines, ...hints, ...stopped].join("\n");
};

export const deadRetry = command<SelectionFlags, [id: string | undefined]>({
  brief: "Queue dead letters again",
  about: [
    "A dead delivery is queued again with fresh counters, unless its address is suppressed: then the letter stays; a letter whose",
    "delivery is done since is only deleted; an entry that could not be read is republished unchanged. Safe to run twice, and by",
    "two operators at once: each delivery is queued once. By event id it also recovers a dead delivery whose letter Redis has lost.",
  ].join("\n"),
  parameters: SELECTION_PARAMETERS,
  examples: [
    ["dead retry 0190c3a1-6f0e-7000-8000-000000000001", "one"],
    ["dead retry --reason retries_exhausted --dry-run", "how many would it be?"],
    ["dead retry --all --since 2h", "what died in the last two hours, in batches; Ctrl-C stops after the current one"],
  ],
  needs: ["database", "redis"],
  publishes: true,
  check: selectionOf,
  async run(context, flags, id) {
    const { redrive } = await import("../actions/redrive.ts");
    const selection = selectionOf(flags, id);
    const reports = await actOnLetters(context, flags, selection, (group, options) =>
      redrive(context, group, selection, options),
    );
    if (reports === undefined) return NOTHING_DONE;
    const nothing =
      selection.kind === "one" && reports.every(({ letters, redriven }) => letters === 0 && redriven === 0);
    const isAllSuppressed = sum(reports, "letters") > 0 && sum(reports, "suppressed") === sum(reports, "letters");
    return {
      json: { reports },
      failed: nothing || isAllSuppressed || reports.some((report) => report.stopped || report.unreadable > 0),
      text: (style) => (nothing ? "no such dead letter" : reportText(style, reports, flags.dryRun === true)),
    };
  },
});
