import { counted } from "../../runtime/quantity.ts";
import { command } from "../command.ts";
import { printable } from "../terminal/style.ts";
import {
  actOnLetters,
  NOTHING_DONE,
  reasonsLine,
  SELECTION_PARAMETERS,
  type SelectionFlags,
  selectionOf,
} from "./letter-selection.ts";

export const deadDrop = command<SelectionFlags, [id: string | undefined]>({
  brief: "Delete dead letters for good",
  about: "Their deliveries stay `dead` in the ledger, with a step in the timeline that says so.",
  parameters: SELECTION_PARAMETERS,
  examples: [
    ["dead drop 0190c3a1-6f0e-7000-8000-000000000001", "one, by event id"],
    ["dead drop --reason malformed", "all with one reason"],
    ["dead drop --all --dry-run", "how many would it be?"],
  ],
  needs: ["database", "redis"],
  check: selectionOf,
  async run(context, flags, id) {
    const { drop } = await import("../actions/drop.ts");
    const selection = selectionOf(flags, id);
    const reports = await actOnLetters(context, flags, selection, (group, options) =>
      drop(context, group, selection, options),
    );
    if (reports === undefined) return NOTHING_DONE;
    const letters = reports.reduce((total, report) => total + report.letters, 0);
    const dropped = reports.reduce((total, report) => total + report.dropped, 0);
    const stopped = reports.some((report) => report.stopped);
    return {
      json: { reports },
      failed: stopped || (selection.kind === "one" && letters === 0),
      text: (style) => {
        if (letters === 0) return "no such dead letter";
        const reasons = printable(reasonsLine(reports));
        const head =
          flags.dryRun === true
            ? `${counted(letters, "letter")} would be dropped`
            : `${counted(dropped, "letter")} dropped`;
        const rest = stopped ? `\n${style("warning", "stopped before the end; run it again to continue")}` : "";
        return `${head} (${reasons})${rest}`;
      },
    };
  },
});
