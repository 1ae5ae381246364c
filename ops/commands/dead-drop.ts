import type { Command } from "../command.ts";
import { type DropReport, drop } from "../drop.ts";
import { groupsNamed } from "../operator.ts";
import { counted } from "../terminal/quantity.ts";
import { printable } from "../terminal/style.ts";
import { reasonsLine, SELECTION_OPTIONS, SELECTION_USAGE, selectionOf } from "./letter-selection.ts";

export const deadDrop: Command = {
  name: "dead drop",
  summary: "Take dead letters away for good",
  usage: `${SELECTION_USAGE} [--dry-run]`,
  about: "The letters go. Their mails stay `dead` in the ledger, with a step in the timeline that says so.",
  options: SELECTION_OPTIONS,
  words: [0, 1],
  examples: [
    ["dead drop 0190c3a1-6f0e-7000-8000-000000000001", "one, by event id"],
    ["dead drop --reason malformed", "all of one reason"],
    ["dead drop --all --dry-run", "how many would it be?"],
  ],
  needs: ["database", "redis"],
  check: selectionOf,
  async run(context) {
    const { args } = context;
    const selection = selectionOf(args);
    const dryRun = args.has("dry-run");
    const reports: DropReport[] = [];
    for (const group of groupsNamed(args.text("group")))
      reports.push(await drop(context, group, selection, { dryRun }));
    const letters = reports.reduce((total, report) => total + report.letters, 0);
    const dropped = reports.reduce((total, report) => total + report.dropped, 0);
    const stopped = reports.some((report) => report.stopped);
    return {
      json: { reports },
      failed: stopped || (selection.kind === "one" && letters === 0),
      text: (style) => {
        if (letters === 0) return "no such dead letter";
        const reasons = printable(reasonsLine(reports));
        const head = dryRun
          ? `${counted(letters, "letter")} would be dropped`
          : `${counted(dropped, "letter")} dropped`;
        const rest = stopped ? `\n${style("warning", "stopped before the end; run it again to go on")}` : "";
        return `${head} (${reasons})${rest}`;
      },
    };
  },
};
