import type { LetterSelection } from "../actions/letters.ts";
import { UsageError } from "../command.ts";
import { DRY_RUN_FLAG, GROUP_FLAG, JSON_FLAG, type JsonFlags, reasonFlag, SWITCH, text } from "../flags.ts";

/** The flags of the commands that act on a selection of dead letters. */
export interface SelectionFlags extends JsonFlags {
  readonly reason?: string;
  readonly all?: boolean;
  readonly dryRun?: boolean;
  readonly group?: string;
}

export const SELECTION_PARAMETERS = {
  positional: {
    kind: "tuple",
    parameters: [
      {
        parse: text,
        optional: true,
        placeholder: "event id | letter id",
        brief: "The letters of one event, or one letter",
      },
    ],
  },
  flags: {
    reason: reasonFlag("All letters with this reason (see `dead list`)"),
    all: { ...SWITCH, brief: "All letters" },
    dryRun: DRY_RUN_FLAG,
    group: GROUP_FLAG,
    json: JSON_FLAG,
  },
} as const;

/**
 * The selection: exactly one of an id, a reason, or all.
 *
 * @throws {UsageError}
 */
export const selectionOf = ({ reason, all }: SelectionFlags, id: string | undefined): LetterSelection => {
  const selections: LetterSelection[] = [];
  if (id !== undefined) selections.push({ kind: "one", id });
  if (reason !== undefined) selections.push({ kind: "reason", reason });
  if (all === true) selections.push({ kind: "all" });
  const [selection] = selections;
  if (selection !== undefined && selections.length === 1) return selection;
  const many = selections.length > 1 ? "only one of " : "";
  throw new UsageError(`expected ${many}<event id | letter id> | --reason R | --all`);
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
