import { PROBLEM_REMEDIES } from "./problem-remedies.ts";
import { isProblemCode, PROBLEM_TYPES } from "./problem-types.ts";

const BEGIN = "<!-- problems: begin -->";
const END = "<!-- problems: end -->";

/** Every problem as a Markdown table, by status. */
const problemsTable = (): string => {
  const rows = Object.keys(PROBLEM_TYPES)
    .filter(isProblemCode)
    .map((code) => ({ code, status: PROBLEM_TYPES[code].status, detail: PROBLEM_TYPES[code].en }))
    .toSorted((left, right) => left.status - right.status)
    .map(({ code, status, detail }) => `| ${status} | \`${code}\` | ${detail} | ${PROBLEM_REMEDIES[code].en} |`);
  return ["| status | `code` | `detail` | what to do |", "| --- | --- | --- | --- |", ...rows].join("\n");
};

/** A document with the table between its two markers replaced. */
export const withProblemsTable = (document: string): string => {
  const [before, rest] = document.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`the document lacks ${BEGIN} or ${END}`);
  return `${before}${BEGIN}\n${problemsTable()}\n${END}${after}`;
};
