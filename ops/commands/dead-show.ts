import type { EmailState } from "../../database/email-state.ts";
import { findEventStatus } from "../../database/event-status.ts";
import { findLetters, type StoredLetter } from "../../stream/dead-letters.ts";
import { type Command, GROUP_OPTION } from "../command.ts";
import { ledgerIdOf } from "../letters.ts";
import { groupsNamed } from "../operator.ts";
import { type Cell, pairs } from "../terminal/table.ts";

/** Fields and values of an entry, two by two: names may repeat, or be anything. */
const fieldPairs = (fields: readonly string[]): readonly (readonly [string, string])[] =>
  Array.from({ length: Math.floor(fields.length / 2) }, (_, index) => [
    fields[2 * index] ?? "",
    fields[2 * index + 1] ?? "",
  ]);

const MAX_SHOWN = 500;

interface ShownLetter extends Omit<StoredLetter, "fields"> {
  readonly group: string;
  readonly fields: ReturnType<typeof fieldPairs>;
  /** What the ledger says of its mail. */
  readonly ledgerState: EmailState | null;
}

export const deadShow: Command = {
  name: "dead show",
  summary: "A dead letter whole: why it died, and the entry as it was",
  usage: "<event id | letter id>",
  options: { group: GROUP_OPTION },
  words: [1, 1],
  examples: [
    ["dead show 0190c3a1-6f0e-7000-8000-000000000001", "by event id"],
    ["dead show 1764000000000-0", "by letter id: what was too malformed to have an event id"],
  ],
  needs: ["database", "redis"],
  async run({ db, redis, keys, args }) {
    const id = args.positionals[0] ?? "";
    const found: ShownLetter[] = [];
    for (const group of groupsNamed(args.text("group"))) {
      for (const letter of await findLetters(redis, keys, group.name, id)) {
        const eventId = ledgerIdOf(group, letter);
        const ledger = eventId === undefined ? undefined : await findEventStatus(db, eventId);
        found.push({
          group: group.name,
          ...letter,
          fields: fieldPairs(letter.fields),
          ledgerState: ledger?.state ?? null,
        });
      }
    }
    return {
      json: { letters: found },
      failed: found.length === 0,
      text: (style) =>
        found.length === 0
          ? "no such dead letter"
          : found
              .map((letter) => {
                const rows: (readonly [string, Cell])[] = [
                  ["letter", letter.letterId],
                  ["group", letter.group],
                  ["event", letter.eventId],
                  ["reason", { text: letter.reason, tone: "bad" }],
                  ["detail", letter.detail],
                  ["attempts", String(letter.attempts)],
                  ["first failure", letter.firstFailureAt],
                  ["last failure", letter.lastFailureAt],
                  ["buried by", letter.consumer],
                  ["read from", `${letter.stream} ${letter.entryId}`],
                  ["ledger", letter.ledgerState ?? "knows nothing of it"],
                ];
                const fields = letter.fields.map(([name, value]): readonly [string, Cell] => [
                  `  ${name.slice(0, 40)}`,
                  value.length > MAX_SHOWN ? `${value.slice(0, MAX_SHOWN)}... (${value.length} characters)` : value,
                ]);
                return `${pairs(style, rows)}\n${style("dim", "entry")}\n${pairs(style, fields)}`;
              })
              .join("\n\n"),
    };
  },
};
