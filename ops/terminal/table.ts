import { printable, type Style, type Tone } from "./style.ts";

export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
}

/** A cell: plain text, or text with a tone. */
export type Cell = string | { readonly text: string; readonly tone: Tone };

const GAP = "  ";

const textOf = (cell: Cell): string => printable(typeof cell === "string" ? cell : cell.text);
const toneOf = (cell: Cell): Tone => (typeof cell === "string" ? "plain" : cell.tone);

/** Aligned columns under a header, by the display width of any script. The last column is not padded. */
export const table = (style: Style, columns: readonly Column[], rows: readonly (readonly Cell[])[]): string => {
  const widths = columns.map((column, index) =>
    Math.max(Bun.stringWidth(column.title), ...rows.map((row) => Bun.stringWidth(textOf(row[index] ?? "")))),
  );
  const line = (cells: readonly Cell[]) =>
    columns
      .map((column, index) => {
        const cell = cells[index] ?? "";
        const text = textOf(cell);
        const padding = " ".repeat(Math.max(0, (widths[index] ?? 0) - Bun.stringWidth(text)));
        const styled = style(toneOf(cell), text);
        if (column.align === "right") return padding + styled;
        return index === columns.length - 1 ? styled : styled + padding;
      })
      .join(GAP)
      .trimEnd();
  const header = line(columns.map(({ title }) => ({ text: title, tone: "dim" })));
  return [header, ...rows.map(line)].join("\n");
};

/** Names and values, one pair per line. */
export const pairs = (style: Style, rows: readonly (readonly [string, Cell])[]): string => {
  const width = Math.max(0, ...rows.map(([name]) => Bun.stringWidth(name)));
  return rows
    .map(([name, cell]) => `${style("dim", name.padEnd(width))}${GAP}${style(toneOf(cell), textOf(cell))}`.trimEnd())
    .join("\n");
};
