import { countLetters, letterPages, type StoredLetter } from "../../stream/dead-letters.ts";
import { type Command, GROUP_OPTION, wholeNumber } from "../command.ts";
import { groupsNamed } from "../operator.ts";
import { counted, relative } from "../terminal/quantity.ts";
import { type Cell, table } from "../terminal/table.ts";

const PAGE = 500;
const DEFAULT_LIMIT = 50;

interface Listed extends Omit<StoredLetter, "fields"> {
  readonly group: string;
}

const withoutFields = (group: string, { fields: _, ...letter }: StoredLetter): Listed => ({ group, ...letter });

const ago = (at: string, now: Date): string => {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? at : relative(date, now);
};

export const deadList: Command = {
  name: "dead list",
  summary: "Dead letters, oldest first, and how many there are of each reason",
  usage: "[--reason R] [--limit N]",
  options: {
    reason: { type: "string", placeholder: "R", about: "only letters of this reason" },
    limit: { type: "string", placeholder: "N", about: `letters to show (default: ${DEFAULT_LIMIT})` },
    group: GROUP_OPTION,
  },
  words: [0, 0],
  examples: [
    ["dead list", "what died, and of what"],
    ["dead list --reason no_such_address --limit 500", "more of one reason"],
  ],
  needs: ["redis"],
  check: (args) => wholeNumber(args, "limit", DEFAULT_LIMIT),
  async run({ redis, keys, args, now, signal, onProgress }) {
    const limit = wholeNumber(args, "limit", DEFAULT_LIMIT);
    const reason = args.text("reason");
    const letters: Listed[] = [];
    const byReason: Record<string, number> = {};
    let total = 0;
    let done = 0;
    const groups = groupsNamed(args.text("group"));
    for (const { name } of groups) total += await countLetters(redis, keys, name);
    for (const { name } of groups) {
      for await (const page of letterPages(redis, keys, name, PAGE)) {
        if (signal.aborted) break;
        for (const letter of page) {
          if (reason !== undefined && letter.reason !== reason) continue;
          byReason[letter.reason] = (byReason[letter.reason] ?? 0) + 1;
          if (letters.length < limit) letters.push(withoutFields(name, letter));
        }
        done += page.length;
        onProgress({ done, total: Math.max(done, total), noun: "letters" });
      }
    }
    const matching = Object.values(byReason).reduce((sum, value) => sum + value, 0);
    return {
      json: { total: matching, byReason, letters },
      text: (style) => {
        if (matching === 0) return reason === undefined ? "no dead letters" : `no dead letters of reason ${reason}`;
        const rows = letters.map((letter): Cell[] => [
          letter.letterId,
          letter.eventId === "" ? { text: "none", tone: "dim" } : letter.eventId,
          letter.group,
          { text: letter.reason, tone: "bad" },
          String(letter.attempts),
          ago(letter.lastFailureAt, now()),
          letter.detail.slice(0, 100),
        ]);
        const titles = ["letter", "event", "group", "reason", "attempts", "died", "detail"];
        const reasons = Object.entries(byReason).sort(([, left], [, right]) => right - left);
        const shown = letters.length < matching ? `; the oldest ${letters.length} are shown` : "";
        return [
          table(
            style,
            titles.map((title) => ({ title, align: title === "attempts" ? "right" : "left" })),
            rows,
          ),
          `${counted(matching, "letter")}${shown}`,
          table(
            style,
            [{ title: "count", align: "right" }, { title: "reason" }],
            reasons.map(([name, value]) => [String(value), name]),
          ),
        ].join("\n\n");
      },
    };
  },
};
