import type { Group } from "../../stream/groups.ts";
import type { LetterSelection } from "../actions/letters.ts";
import { type CommandContext, UsageError } from "../command.ts";
import {
  ACT_FLAGS,
  type ActFlags,
  DRY_RUN_FLAG,
  GROUP_FLAG,
  momentFlag,
  reasonFlag,
  SWITCH,
  text,
  YES_FLAG,
} from "../flags.ts";
import { mayChange, NOT_CONFIRMED } from "../terminal/confirm.ts";

/** The flags of the commands that act on a selection of dead letters. */
export interface SelectionFlags extends ActFlags {
  readonly reason?: string;
  readonly all?: boolean;
  readonly since?: Date;
  readonly before?: Date;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
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
    since: momentFlag("Of these, only letters written since then: a time, or an age such as 2h"),
    before: momentFlag("Of these, only letters written before then"),
    yes: YES_FLAG,
    dryRun: DRY_RUN_FLAG,
    group: GROUP_FLAG,
    ...ACT_FLAGS,
  },
} as const;

/**
 * Acts on the selected letters of the groups, one group after the other. More than a hundred are changed only if that is confirmed;
 * undefined: it was not.
 *
 * @throws {NotFound} naming the reasons that there are, if none has the one that is selected
 */
export const actOnLetters = async <Report>(
  context: CommandContext,
  { group, yes, dryRun = false }: SelectionFlags,
  selection: LetterSelection,
  act: (group: Group, options: { readonly dryRun: boolean }) => Promise<Report>,
): Promise<readonly Report[] | undefined> => {
  const [{ countSelected }, { groupsNamed }] = await Promise.all([
    import("../actions/letters.ts"),
    import("../actions/operator.ts"),
  ]);
  const groups = groupsNamed(context, group);
  const letters = await countSelected(context, groups, selection);
  if (!(await mayChange(letters, "letters", { yes: yes === true || dryRun, signal: context.signal }))) return undefined;
  const reports: Report[] = [];
  for (const each of groups) reports.push(await act(each, { dryRun }));
  return reports;
};

/** The answer when the operator did not confirm. */
export const NOTHING_DONE = {
  json: { reports: [] },
  failed: true,
  text: () => `nothing was done: ${NOT_CONFIRMED}`,
} as const;

/**
 * The selection: exactly one of an id, a reason, or all.
 *
 * @throws {UsageError}
 */
export const selectionOf = (
  { reason, all, since, before }: SelectionFlags,
  id: string | undefined,
): LetterSelection => {
  const window = { since, before };
  const selections: LetterSelection[] = [];
  if (id !== undefined) selections.push({ kind: "one", id });
  if (reason !== undefined) selections.push({ kind: "reason", reason, ...window });
  if (all === true) selections.push({ kind: "all", ...window });
  const [selection] = selections;
  if (id !== undefined && (since ?? before) !== undefined) {
    throw new UsageError("--since and --before select among letters: give --reason R or --all with them");
  }
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
