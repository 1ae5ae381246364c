import type { Figures } from "./cases.ts";
import { median } from "./statistics.ts";

export interface Measurement {
  readonly case: string;
  /** Its place in the list of trees: the same one may stand there twice. */
  readonly tree: number;
  readonly round: number;
  readonly figures: Figures;
}

/** Three digits that count. */
const shown = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));

const spread = (values: readonly number[], show: (value: number) => string): string =>
  `${show(median(values))} [${show(Math.min(...values))}-${show(Math.max(...values))}]`;

const table = (rows: readonly (readonly string[])[]): string[] => {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
};

/**
 * A table for each case: median, least and most of each figure for each tree. With two trees or more: the ratio of the
 * second's median to the first's and, in brackets, the ratios within the rounds, which show how far chance goes.
 */
export const summary = (measurements: readonly Measurement[], trees: readonly string[]): string => {
  const cases = [...new Set(measurements.map((each) => each.case))];
  const lines = cases.flatMap((name) => {
    const own = measurements.filter((each) => each.case === name);
    const valuesOf = (figure: string, tree: number) =>
      own.filter((each) => each.tree === tree).map((each) => each.figures[figure] ?? Number.NaN);
    const rows = Object.keys(own[0]?.figures ?? {}).map((figure) => {
      const [first = [], second = []] = trees.map((_, tree) => valuesOf(figure, tree));
      const ratios = second.map((value, round) => value / (first[round] ?? Number.NaN));
      const ofMedians = median(second) / median(first);
      const range = `[${Math.min(...ratios).toFixed(3)}-${Math.max(...ratios).toFixed(3)}]`;
      return [
        figure,
        ...trees.map((_, tree) => spread(valuesOf(figure, tree), shown)),
        ...(trees.length > 1 ? [`${ofMedians.toFixed(3)} ${median(ratios).toFixed(3)} ${range}`] : []),
      ];
    });
    const ratioHeads = trees.length > 1 ? ["2nd/1st: of medians, median within rounds [range]"] : [];
    return [...table([[name, ...trees, ...ratioHeads], ...rows]), ""];
  });
  return lines.join("\n");
};
