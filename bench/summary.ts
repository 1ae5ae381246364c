import type { Figures } from "./case.ts";
import { meanRatio, median } from "./statistics.ts";

export interface Measurement {
  readonly case: string;
  /** Its place in the list of contenders: the same one may stand there twice. */
  readonly place: number;
  readonly round: number;
  readonly figures: Figures;
}

/** Three digits that count. */
export const shown = (value: number): string => {
  if (!Number.isFinite(value)) return "-";
  return Math.abs(value) >= 100 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(3)));
};

/** Median, least and most. */
export const spread = (values: readonly number[]): string =>
  `${shown(median(values))} [${shown(Math.min(...values))}-${shown(Math.max(...values))}]`;

const table = (rows: readonly (readonly string[])[]): string[] => {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
};

/** A figure's values of one contender, by round. */
export const valuesOf = (
  measurements: readonly Measurement[],
  which: { readonly case: string; readonly figure: string; readonly place: number },
): ReadonlyMap<number, number> =>
  new Map(
    measurements.flatMap((each) => {
      const value = each.figures[which.figure];
      return each.case === which.case && each.place === which.place && value !== undefined ? [[each.round, value]] : [];
    }),
  );

/** Ratios within the rounds that have both. */
export const ratiosOf = (values: ReadonlyMap<number, number>, base: ReadonlyMap<number, number>): readonly number[] =>
  [...values].flatMap(([round, value]) => {
    const divisor = base.get(round);
    return divisor === undefined ? [] : [value / divisor];
  });

/**
 * A table for each case: median, least and most of each figure for each contender; of all but the first also the ratio of its
 * median to the first's, and the mean of the ratios within the rounds with what chance makes of it.
 */
export const summary = (measurements: readonly Measurement[], labels: readonly string[]): string => {
  const cases = [...new Set(measurements.map((each) => each.case))];
  const lines = cases.flatMap((name) => {
    const own = measurements.filter((each) => each.case === name);
    const figures = [...new Set(own.flatMap((each) => Object.keys(each.figures)))];
    const rows = figures.flatMap((figure) => {
      const first = valuesOf(own, { case: name, figure, place: 0 });
      const measured = labels.flatMap((label, place) => {
        const values = valuesOf(own, { case: name, figure, place });
        return values.size === 0 ? [] : [{ label, place, values }];
      });
      return measured.map(({ label, place, values }, index) => {
        const { mean, error } = meanRatio(ratiosOf(values, first));
        const isCompared = place > 0 && first.size > 0;
        const ratio = median([...values.values()]) / median([...first.values()]);
        const compared = isCompared ? [ratio.toFixed(3), `${mean.toFixed(3)} ± ${error.toFixed(3)}`] : [];
        return [index === 0 ? figure : "", label, spread([...values.values()]), ...compared];
      });
    });
    return [...table([[name, "", "median [range]", "to the first", "mean of rounds"], ...rows]), ""];
  });
  return lines.join("\n");
};
