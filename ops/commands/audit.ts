import type { AuditedAction } from "../../database/audit.ts";
import { relative } from "../../runtime/quantity.ts";
import { command } from "../command.ts";
import { COMMON_FLAGS, type CommonFlags, GROUP_FLAG, limitFlag, momentFlag, proposeActions, text } from "../flags.ts";
import { printable } from "../terminal/style.ts";
import { type Cell, table } from "../terminal/table.ts";

interface Flags extends CommonFlags {
  readonly limit: number;
  readonly action?: string;
  readonly by?: string;
  readonly group?: string;
  readonly since?: Date;
}

const argumentsText = ({ arguments: given, end }: AuditedAction): string => {
  const named = Object.entries(given).map(([name, value]) => `${name}=${value}`);
  return [...named, ...(end?.eventIds ?? []).slice(0, 1)].join(" ");
};

const endCell = ({ end }: AuditedAction): Cell => {
  if (end === null) return { text: "unknown: no end", tone: "bad" };
  if (end.outcome === "interrupted") return { text: end.outcome, tone: "bad" };
  if (end.outcome === "failed") return { text: `failed (${end.error ?? "unknown"})`, tone: "bad" };
  return end.affected === 0 ? end.outcome : `${end.outcome}, ${end.affected}`;
};

const rowOf = (action: AuditedAction, now: Date): Cell[] => [
  relative(action.begunAt, now),
  printable(action.actor),
  printable(action.host),
  `${action.surface} ${action.action}`,
  action.group ?? "",
  printable(argumentsText(action)),
  endCell(action),
];

export const audit = command<Flags>({
  brief: "List what operators changed, the latest first",
  about: [
    "Every command that changes something is recorded before it begins and when it has ended: who, when, from which machine, on",
    "what. `interrupted`: a store went away meanwhile, and it may be half done. `unknown`: it still runs, or its process was killed.",
    "The log has no names or addresses of users.",
  ].join("\n"),
  parameters: {
    flags: {
      limit: limitFlag("actions", 10_000),
      action: {
        kind: "parsed",
        parse: text,
        proposeCompletions: proposeActions,
        optional: true,
        placeholder: "ACTION",
        brief: "Only `dead retry`, or all of `dead`",
      },
      by: { kind: "parsed", parse: text, optional: true, placeholder: "NAME", brief: "Only this operator's" },
      group: GROUP_FLAG,
      since: momentFlag("Only from then on: a time, or an age such as 2h"),
      ...COMMON_FLAGS,
    },
  },
  examples: [
    ["audit --since 24h", "what was done since yesterday"],
    ["audit --action erase --json", "who was erased, by user id"],
  ],
  needs: ["database"],
  async run({ db, now }, { limit, action, by, group, since }) {
    const [{ listActions }, { requireAction }] = await Promise.all([
      import("../../database/audit.ts"),
      import("../actions/action-names.ts"),
    ]);
    requireAction(action);
    const actions = await listActions(db, { limit, action, actor: by, group, since });
    return {
      json: { actions: actions.map((each) => ({ ...each, outcome: each.end?.outcome ?? "unknown" })) },
      text: (style) =>
        actions.length === 0
          ? "no action is recorded"
          : table(
              style,
              [
                { title: "when" },
                { title: "who", wraps: true },
                { title: "from", wraps: true },
                { title: "what", wraps: true },
                { title: "group", wraps: true },
                { title: "on", wraps: true },
                { title: "outcome", wraps: true },
              ],
              actions.map((each) => rowOf(each, now())),
            ),
    };
  },
});
