import { type Extent, fittedWidths, widestWord, wrapped } from "./layout.ts";
import { printable, type Style, type Tone } from "./style.ts";

export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
  /** Its texts may be broken into lines where the terminal is narrow. An id never is: it is copied. */
  readonly wraps?: true;
}

/** A cell: plain text, or text with a tone. */
export type Cell = string | { readonly text: string; readonly tone: Tone };

const GAP = "  ";
/** A column that wraps keeps this width, or that of its texts if they are shorter. */
const LEAST_WRAPPED = 16;

const textOf = (cell: Cell): string => printable(typeof cell === "string" ? cell : cell.text);
const toneOf = (cell: Cell): Tone => (typeof cell === "string" ? "plain" : cell.tone);

/** A header may be broken between its words. */
const extentOf = ({ title, wraps }: Column, texts: readonly string[]): Extent => {
  const content = Math.max(0, ...texts.map((text) => Bun.stringWidth(text)));
  return {
    natural: Math.max(Bun.stringWidth(title), content),
    least: Math.max(widestWord(title), wraps === true ? Math.min(content, LEAST_WRAPPED) : content),
  };
};

/** One row under the other, each as names and values: for a terminal on which the columns do not fit side by side. */
const records = (style: Style, columns: readonly Column[], rows: readonly (readonly Cell[])[]): string =>
  rows
    .map((row) =>
      pairs(
        style,
        columns.flatMap(({ title }, index) => {
          const cell = row[index] ?? "";
          return textOf(cell) === "" ? [] : [[title, cell] as const];
        }),
      ),
    )
    .join("\n\n");

/**
 * Aligned columns under a header, by the display width of any script. The last column is not padded. On a terminal the columns
 * that may be wrapped are, until all fit; if they do not even then, each row becomes a list. No text is cut.
 */
export const table = (style: Style, columns: readonly Column[], rows: readonly (readonly Cell[])[]): string => {
  const extents = columns.map((column, index) =>
    extentOf(
      column,
      rows.map((row) => textOf(row[index] ?? "")),
    ),
  );
  const widths = fittedWidths(extents, style.width ?? Number.POSITIVE_INFINITY, GAP.length);
  if (widths === undefined) return records(style, columns, rows);
  const line = (cells: readonly Cell[]): string => {
    const texts = cells.map((cell, index) => wrapped(textOf(cell), widths[index] ?? 0));
    const height = Math.max(1, ...texts.map(({ length }) => length));
    return Array.from({ length: height }, (_, at) =>
      columns
        .map((column, index) => {
          const text = texts[index]?.[at] ?? "";
          const padding = " ".repeat(Math.max(0, (widths[index] ?? 0) - Bun.stringWidth(text)));
          const styled = style(toneOf(cells[index] ?? ""), text);
          if (column.align === "right") return padding + styled;
          return index === columns.length - 1 ? styled : styled + padding;
        })
        .join(GAP)
        .trimEnd(),
    ).join("\n");
  };
  const header = line(columns.map(({ title }) => ({ text: title, tone: "dim" })));
  return [header, ...rows.map(line)].join("\n");
};

/** Names and values, one pair per line; a long value goes on in its own column. */
export const pairs = (style: Style, rows: readonly (readonly [string, Cell])[]): string => {
  const names = Math.max(0, ...rows.map(([name]) => Bun.stringWidth(name)));
  const values = Math.max(LEAST_WRAPPED, (style.width ?? Number.POSITIVE_INFINITY) - names - GAP.length);
  return rows
    .map(([name, cell]) => {
      const lines = wrapped(textOf(cell), values).map((text) => style(toneOf(cell), text));
      const title = style("dim", name) + " ".repeat(names - Bun.stringWidth(name));
      return lines.map((text, at) => `${at === 0 ? title : " ".repeat(names)}${GAP}${text}`.trimEnd()).join("\n");
    })
    .join("\n");
};
