import { counted, relative } from "../../runtime/quantity.ts";
import { meaningOf } from "../../runtime/situation/reasons.ts";
import type { LetterList } from "../actions/letters.ts";
import { command } from "../command.ts";
import { COMMON_FLAGS, type CommonFlags, GROUP_FLAG, limitFlag, momentFlag, reasonFlag, SWITCH } from "../flags.ts";
import type { Style } from "../terminal/style.ts";
import { type Cell, table } from "../terminal/table.ts";

const ago = (at: string, now: Date): string => {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? at : relative(date, now);
};

/** A cursor of `dead list`. */
const cursor = (value: string): string => {
  if (/^\d+-\d+\/.+$/.test(value)) return value;
  throw new SyntaxError(`${value}: expected the cursor that the list before ended with`);
};

const listText = (style: Style, { total, letters, byReason, next }: LetterList, now: Date): string => {
  const rows = letters.map((letter): Cell[] => [
    letter.letterId,
    letter.eventId === "" ? { text: "none", tone: "dim" } : letter.eventId,
    letter.group,
    { text: letter.reason, tone: "bad" },
    String(letter.attempts),
    ago(letter.lastFailureAt, now),
    letter.detail.slice(0, 100),
  ]);
  const reasons = Object.entries(byReason).sort(([, left], [, right]) => right - left);
  const shown = next === null ? "" : `; the first ${letters.length} are shown; go on with --cursor ${next}`;
  return [
    table(
      style,
      [
        { title: "letter" },
        { title: "event" },
        { title: "group" },
        { title: "reason", wraps: true },
        { title: "attempts", align: "right" },
        { title: "died", wraps: true },
        { title: "detail", wraps: true },
      ],
      rows,
    ),
    `${counted(total, "letter")}${shown}`,
    table(
      style,
      [{ title: "count", align: "right" }, { title: "reason" }, { title: "which means", wraps: true }],
      reasons.map(([name, value]) => [String(value), name, meaningOf(name) ?? ""]),
    ),
  ].join("\n\n");
};

interface Flags extends CommonFlags {
  readonly reason?: string;
  readonly limit: number;
  readonly since?: Date;
  readonly before?: Date;
  readonly newest?: boolean;
  readonly cursor?: string;
  readonly group?: string;
}

export const deadList = command<Flags>({
  brief: "List dead letters, and count them by reason",
  parameters: {
    flags: {
      reason: reasonFlag("Only letters with this reason"),
      limit: limitFlag("letters", 1_000_000),
      since: momentFlag("Only letters written since then: a time, or an age such as 2h"),
      before: momentFlag("Only letters written before then"),
      newest: { ...SWITCH, brief: "The newest first (default: the oldest)" },
      cursor: { kind: "parsed", parse: cursor, optional: true, placeholder: "C", brief: "Go on where a list ended" },
      group: GROUP_FLAG,
      ...COMMON_FLAGS,
    },
  },
  examples: [
    ["dead list", "which deliveries died, and why"],
    ["dead list --newest --since 2h", "what died in the last two hours, the newest first"],
    ["dead list --reason no_such_address --limit 500", "more letters with one reason"],
  ],
  needs: ["redis"],
  async run(context, { reason, limit, group, since, before, newest: newestFirst, cursor: after }) {
    const [{ listLetters }, { groupsNamed }] = await Promise.all([
      import("../actions/letters.ts"),
      import("../actions/operator.ts"),
    ]);
    const options = { reason, limit, since, before, newestFirst, cursor: after };
    const found = await listLetters(context, groupsNamed(context, group), options);
    const none = reason === undefined ? "no dead letters" : `no dead letters with reason ${reason}`;
    return {
      json: found,
      text: (style) => (found.total === 0 ? none : listText(style, found, context.now())),
    };
  },
});
