import { type Arguments, type CommandOption, DRY_RUN_OPTION, GROUP_OPTION, UsageError } from "../command.ts";
import type { LetterSelection } from "../letters.ts";

/** How letters are chosen, in the usage of every command that does something with them. */
export const SELECTION_USAGE = "<event id | letter id> | --reason R | --all";

export const SELECTION_OPTIONS: Readonly<Record<string, CommandOption>> = {
  reason: { type: "string", placeholder: "R", about: "all letters of this reason (see `dead list`)" },
  all: { type: "boolean", about: "all letters" },
  "dry-run": DRY_RUN_OPTION,
  group: GROUP_OPTION,
};

/**
 * The selection that the arguments make: exactly one of an id, a reason, or all.
 *
 * @throws {UsageError}
 */
export const selectionOf = (args: Arguments): LetterSelection => {
  const id = args.positionals[0];
  const reason = args.text("reason");
  const selections: LetterSelection[] = [];
  if (id !== undefined) selections.push({ kind: "one", id });
  if (reason !== undefined) selections.push({ kind: "reason", reason });
  if (args.has("all")) selections.push({ kind: "all" });
  const [selection] = selections;
  if (selection === undefined || selections.length > 1) {
    throw new UsageError(`expected ${selection === undefined ? "" : "only one of "}${SELECTION_USAGE}`);
  }
  return selection;
};

/** `12 no_such_address, 3 malformed` */
export const reasonsLine = (reports: readonly { readonly byReason: Readonly<Record<string, number>> }[]): string => {
  const sums: Record<string, number> = {};
  for (const { byReason } of reports) {
    for (const [reason, value] of Object.entries(byReason)) sums[reason] = (sums[reason] ?? 0) + value;
  }
  return Object.entries(sums)
    .map(([reason, value]) => `${value} ${reason}`)
    .join(", ");
};
