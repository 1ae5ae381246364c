/** How wide a column wants to be, and may be at least, in columns of a terminal. */
export interface Extent {
  readonly natural: number;
  readonly least: number;
}

/**
 * The width of each column, so that all fit together: the widest give way first, none below its least. Undefined: they do not fit.
 * `gap`: columns of the terminal between two of them.
 */
export const fittedWidths = (
  extents: readonly Extent[],
  available: number,
  gap: number,
): readonly number[] | undefined => {
  const gaps = Math.max(0, extents.length - 1) * gap;
  const sum = (widths: readonly number[]) => widths.reduce((total, width) => total + width, gaps);
  const capped = (cap: number) => extents.map(({ natural, least }) => Math.min(natural, Math.max(least, cap)));
  if (sum(capped(0)) > available) return undefined;
  // The widest cap at which they fit. Widths are those of terminals: small enough to try.
  for (let cap = Math.max(0, ...extents.map(({ natural }) => natural)); cap > 0; cap -= 1) {
    const widths = capped(cap);
    if (sum(widths) <= available) return widths;
  }
  return capped(0);
};

/** The lines of a text, broken between words, and within a word that is wider than a line. */
export const wrapped = (text: string, width: number): readonly string[] =>
  Bun.wrapAnsi(text, Math.max(1, width), { hard: true }).split("\n");

/** The width of the widest word. */
export const widestWord = (text: string): number =>
  Math.max(0, ...text.split(" ").map((word) => Bun.stringWidth(word)));
