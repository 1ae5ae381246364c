import type { Figures } from "./cases.ts";
import { meanRatio, median } from "./statistics.ts";

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
 * second's median to the first's, and the mean of the ratios within the rounds with what chance makes of it.
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
      const { mean, error } = meanRatio(ratios);
      const compared = [(median(second) / median(first)).toFixed(3), `${mean.toFixed(3)} ± ${error.toFixed(3)}`];
      return [
        figure,
        ...trees.map((_, tree) => spread(valuesOf(figure, tree), shown)),
        ...(trees.length > 1 ? compared : []),
      ];
    });
    const comparisonHeads = trees.length > 1 ? ["2nd/1st of medians", "mean of rounds"] : [];
    return [...table([[name, ...trees, ...comparisonHeads], ...rows]), ""];
  });
  return lines.join("\n");
};
