import type { Chart } from "./chart.ts";
import { median } from "./statistics.ts";
import { type Measurement, shown, spread } from "./summary.ts";

export interface Labelled extends Measurement {
  readonly contender: string;
}

export interface Run {
  readonly heads: readonly {
    readonly date: string;
    readonly machine: string;
    readonly cores: number;
    readonly load: number;
  }[];
  readonly measurements: readonly Labelled[];
}

const OURS = "ours";

const distinct = (values: readonly string[]): readonly string[] => [...new Set(values)];

const figureOf = (measurements: readonly Labelled[], which: { case: string; contender: string; figure: string }) =>
  measurements.flatMap((each) => {
    const value = each.figures[which.figure];
    const isIt = each.case === which.case && each.contender === which.contender && value !== undefined;
    return isIt ? [value] : [];
  });

/** A line for each contender, with the medians; of the first figure also the range, and ours as a multiple of the contender's. */
const tableOf = (name: string, measurements: readonly Labelled[]): string => {
  const own = measurements.filter((each) => each.case === name);
  const figures = distinct(own.flatMap((each) => Object.keys(each.figures)));
  const [first = ""] = figures;
  const of = (contender: string, figure: string) => figureOf(own, { case: name, contender, figure });
  const rows = distinct(own.map((each) => each.contender)).map((contender) => {
    const ratio = median(of(OURS, first)) / median(of(contender, first));
    const cells = figures.map((figure) => {
      const values = of(contender, figure);
      if (values.length === 0) return "-";
      return figure === first ? spread(values) : shown(median(values));
    });
    return [contender, ...cells, contender === OURS ? "" : shown(ratio)];
  });
  const head = [name, ...figures, `ours / it`];
  return [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
};

/** When and where it was measured, then a table for each case. */
export const tables = ({ heads, measurements }: Run): string => {
  const when = heads.map(({ date, machine, load }) => `${date}, ${machine}, load ${load.toFixed(1)} at the start`);
  const rounds = new Set(measurements.map(({ round }) => round)).size;
  const cases = distinct(measurements.map((each) => each.case));
  const isBusy = heads.some(({ cores, load }) => load > cores / 2);
  const caution = isBusy ? " **The machine was busy with other work: only ratios within a case mean anything.**" : "";
  const about = `Measured ${distinct(when).join("; ")}. Interleaved rounds: ${rounds}. Medians, ranges in brackets.${caution}`;
  return [about, ...cases.map((name) => tableOf(name, measurements))].join("\n\n");
};

const PICTURES = [
  { name: "accept", title: "Signups accepted", unit: "a second; more is better", figure: "accepted/s" },
  { name: "accept-cpu", title: "The API's CPU time for a signup", unit: "µs; less is better", figure: "api CPU" },
  { name: "drain", title: "Mails sent by one consumer", unit: "a second; more is better", figure: "mails/s" },
  {
    name: "drain-cpu",
    title: "The consumer's CPU time for a mail",
    unit: "µs; less is better",
    figure: "consumer CPU",
  },
] as const;
/** Cases of which the peers have the figures too, and that are told apart by their sizes alone. */
const PICTURED = /^(accept-\d+|drain-0ms|drain-50ms.*)$/;

/** Pictures of the figures that are compared with peers; one that nothing was measured for is left out. */
export const chartsOf = (
  measurements: readonly Labelled[],
): readonly { readonly name: string; readonly chart: Chart }[] =>
  PICTURES.flatMap(({ name, title, unit, figure }) => {
    const own = measurements.filter(
      (each) => PICTURED.test(each.case) && figure in each.figures && each.contender !== "load",
    );
    const groups = distinct(own.map((each) => each.case)).map((label) => ({
      label,
      bars: distinct(own.filter((each) => each.case === label).map((each) => each.contender)).map((contender) => ({
        label: contender,
        value: median(figureOf(own, { case: label, contender, figure })),
        isOurs: contender === OURS,
      })),
    }));
    return groups.length === 0 ? [] : [{ name, chart: { title, unit, groups } }];
  });
