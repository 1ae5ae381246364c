import { commandsOf } from "./route.ts";
import { ROUTES } from "./routes.ts";

const BEGIN = "<!-- commands: begin -->";
const END = "<!-- commands: end -->";

/** Every command as a Markdown table, in the order of the help. */
export const commandsTable = (): string => {
  const rows = commandsOf(ROUTES, []).map(({ name, command }) => `| \`${name.join(" ")}\` | ${command.brief} |`);
  return ["| command | what it does |", "| --- | --- |", ...rows].join("\n");
};

/** A document with the table between its two markers replaced. */
export const withCommandsTable = (document: string): string => {
  const [before, rest] = document.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`the document lacks ${BEGIN} or ${END}`);
  return `${before}${BEGIN}\n${commandsTable()}\n${END}${after}`;
};
