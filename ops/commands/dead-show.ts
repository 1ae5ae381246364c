import type { ShownLetter } from "../actions/letters.ts";
import { command } from "../command.ts";
import { COMMON_FLAGS, type CommonFlags, GROUP_FLAG, text } from "../flags.ts";
import type { Style } from "../terminal/style.ts";
import { type Cell, pairs } from "../terminal/table.ts";

const MAX_SHOWN = 500;

const letterText = (style: Style, letter: ShownLetter): string => {
  const rows: (readonly [string, Cell])[] = [
    ["letter", letter.letterId],
    ["group", letter.group],
    ["event", letter.eventId],
    ["reason", { text: letter.reason, tone: "bad" }],
    ["detail", letter.detail],
    ["attempts", String(letter.attempts)],
    ["first failure", letter.firstFailureAt],
    ["last failure", letter.lastFailureAt],
    ["dead-lettered by", letter.consumer],
    ["read from", `${letter.stream} ${letter.entryId}`],
    ["ledger", letter.ledgerState ?? "no delivery of this event"],
  ];
  const fields = letter.fields.map(([name, value]): readonly [string, Cell] => [
    `  ${name.slice(0, 40)}`,
    value.length > MAX_SHOWN ? `${value.slice(0, MAX_SHOWN)}... (${value.length} characters)` : value,
  ]);
  return `${pairs(style, rows)}\n${style("dim", "entry")}\n${pairs(style, fields)}`;
};

interface Flags extends CommonFlags {
  readonly group?: string;
}

export const deadShow = command<Flags, [id: string]>({
  brief: "Show a dead letter in full: why it died, and its entry unchanged",
  parameters: {
    positional: {
      kind: "tuple",
      parameters: [
        { parse: text, placeholder: "event id | letter id", brief: "The letters of one event, or one letter" },
      ],
    },
    flags: { group: GROUP_FLAG, ...COMMON_FLAGS },
  },
  examples: [
    ["dead show 0190c3a1-6f0e-7000-8000-000000000001", "by event id"],
    ["dead show 1764000000000-0", "by letter id: a malformed entry may have no event id"],
  ],
  needs: ["database", "redis"],
  async run(context, { group }, id) {
    const [{ showLetters }, { groupsNamed }] = await Promise.all([
      import("../actions/letters.ts"),
      import("../actions/operator.ts"),
    ]);
    const letters = await showLetters(context, groupsNamed(context, group), id);
    return {
      json: { letters },
      failed: letters.length === 0,
      text: (style) =>
        letters.length === 0 ? "no such dead letter" : letters.map((letter) => letterText(style, letter)).join("\n\n"),
    };
  },
});
