import { relative, roundedRate } from "../../runtime/quantity.ts";
import type { BudgetState } from "../actions/rate.ts";
import { type CommandContext, command, UsageError } from "../command.ts";
import { ACT_FLAGS, type ActFlags, proposeGroups, SWITCH, text } from "../flags.ts";
import { type Cell, table } from "../terminal/table.ts";

interface Flags extends ActFlags {
  readonly clear?: boolean;
}

const rate = async (value: string): Promise<number> => {
  const { RATE_BOUNDS, rateIn } = await import("../actions/rate.ts");
  const found = rateIn(value);
  if (found !== undefined) return found;
  throw new SyntaxError(
    `expected a number a second from ${RATE_BOUNDS.least} to ${RATE_BOUNDS.most}; \`pause\` stops a group`,
  );
};

const rateText = (perSecond: number): string => `${roundedRate(perSecond)}/s`;

const rowOf = ({ groups, ordered, inForce, lastMinute, lastHour }: BudgetState, now: Date): Cell[] => [
  groups.join(", "),
  ordered === null ? "" : rateText(ordered.perSecond),
  ordered === null ? "" : `${relative(ordered.at, now)} by ${ordered.by}`,
  inForce === null ? "not limited" : rateText(inForce),
  String(lastMinute),
  String(lastHour),
];

const show = async (context: CommandContext, name: string | undefined) => {
  const [{ readBudgets }, { groupsNamed }] = await Promise.all([
    import("../actions/rate.ts"),
    import("../actions/operator.ts"),
  ]);
  const budgets = await readBudgets(context, groupsNamed(context, name));
  return {
    json: { budgets },
    text: (style: Parameters<typeof table>[0]) =>
      table(
        style,
        [
          { title: "groups", wraps: true },
          { title: "ordered", align: "right" },
          { title: "when", wraps: true },
          { title: "in force", align: "right" },
          { title: "last minute", align: "right" },
          { title: "last hour", align: "right" },
        ],
        budgets.map((budget) => rowOf(budget, context.now())),
      ),
  };
};

export const rateCommand = command<Flags, [name?: string, perSecond?: number]>({
  brief: "Show how fast groups may work, and order another rate, effective within seconds",
  about: [
    "Without a number it shows the rates. With one, all consumers of the group together begin at most that many pieces of work a",
    "second, instead of what their settings say (MAIL_RATE_PER_SECOND); what has to wait stays in the stream, and uses up no",
    "attempt. Groups that send mail share one rate. It is a row in Postgres, with a copy in Redis: it survives restarts and the",
    "loss of Redis, until --clear. MAIL_RATE_PER_DAY stays in force. A rate of 0 is `pause`.",
  ].join("\n"),
  parameters: {
    positional: {
      kind: "tuple",
      parameters: [
        {
          parse: text,
          proposeCompletions: proposeGroups,
          optional: true,
          placeholder: "group",
          brief: "The group's name",
        },
        { parse: rate, optional: true, placeholder: "N", brief: "Pieces of work a second; decimals are allowed" },
      ],
    },
    flags: { clear: { ...SWITCH, brief: "End the ordered rate: the settings are in force again" }, ...ACT_FLAGS },
  },
  examples: [
    ["rate", "what is ordered, and what is in force"],
    ["rate welcome-email 5", "all mail together: five a second"],
    ["rate welcome-email --clear", "as the settings say"],
  ],
  needs: ["database", "redis"],
  check({ clear }, name, perSecond) {
    if (clear === true && name === undefined) throw new UsageError("--clear needs a group");
    if (clear === true && perSecond !== undefined) throw new UsageError("a number and --clear exclude each other");
  },
  async run(context, { clear }, name, perSecond) {
    if (name === undefined || (perSecond === undefined && clear !== true)) return show(context, name);
    const [{ endRate, setRate, sharersOf }, { groupNamed }] = await Promise.all([
      import("../actions/rate.ts"),
      import("../actions/operator.ts"),
    ]);
    const group = groupNamed(context, name);
    const sharers = sharersOf(context.groups, group);
    const whom = `${sharers.join(", ")}${sharers.length === 1 ? "" : " together"}`;
    const later = (isCopied: boolean) => (isCopied ? "" : "; once Redis takes it: the api copies it within seconds");
    if (perSecond === undefined) {
      const { wasOrdered, isCopied } = await endRate(context, group);
      return {
        json: { groups: sharers, ordered: null, changed: wasOrdered },
        text: () =>
          wasOrdered
            ? `${whom}: as the settings say, within seconds${later(isCopied)}`
            : `${whom}: no rate was ordered; the settings are in force`,
      };
    }
    const { isCopied } = await setRate(context, group, perSecond);
    return {
      json: { groups: sharers, ordered: perSecond, changed: true },
      text: () =>
        `${whom}: at most ${rateText(perSecond)}, within seconds${later(isCopied)}; \`rate ${group.name} --clear\` ends it`,
    };
  },
});
