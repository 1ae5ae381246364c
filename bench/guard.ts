import { median } from "./statistics.ts";
import { type Measurement, ratiosOf, valuesOf } from "./summary.ts";

/** A figure of ours over one of the limit, measured in the same round: CPU time both, which other load hardly changes. */
interface Guarded {
  readonly case: string;
  readonly figure: string;
  /** The limit's; the same unless given. */
  readonly limit?: string;
}

const GUARDED: readonly Guarded[] = [
  { case: "accept-128", figure: "api CPU" },
  { case: "accept-128", figure: "Postgres CPU" },
  { case: "drain-0ms", figure: "consumer CPU" },
  // The limit has no ledger.
  { case: "drain-0ms", figure: "Postgres CPU", limit: "consumer CPU" },
];

/** What the guard measures: enough that a fall of a third shows, within a minute on an idle machine. */
export const GUARD_SIZES = { rounds: 3, seconds: 1, mails: 2_000, concurrency: 50 };
export const GUARD_CASES: readonly string[] = [...new Set(GUARDED.map((each) => each.case))];

/** A ratio of the baseline may grow by this before it is a fall: beyond what was seen between runs on a busy machine. */
const TOLERANCE = 1.35;

/** Ratios of ours to the limit, by name; less is better. */
export type Baseline = Readonly<Record<string, number>>;

export interface Verdict {
  readonly name: string;
  readonly ratios: readonly number[];
  /** NaN: the baseline does not have it. */
  readonly baseline: number;
  /** `fallen`: even the best round is beyond the tolerance; `risen`: even the worst is as far below the baseline. */
  readonly is: "fallen" | "steady" | "risen";
}

/** What has become of each ratio. Ours is the first contender, the limit the second. */
export const judge = (measurements: readonly Measurement[], baseline: Baseline): readonly Verdict[] =>
  GUARDED.map(({ case: name, figure, limit = figure }) => {
    const ours = valuesOf(measurements, { case: name, figure, place: 0 });
    const ratios = ratiosOf(ours, valuesOf(measurements, { case: name, figure: limit, place: 1 }));
    const title = `${name}: ${figure}`;
    const known = baseline[title] ?? Number.NaN;
    const [least, most] = [Math.min(...ratios), Math.max(...ratios)];
    const is = least > known * TOLERANCE ? "fallen" : most < known / TOLERANCE ? "risen" : "steady";
    return { name: title, ratios, baseline: known, is };
  });

/** The verdicts' medians, for the file. */
export const baselineOf = (verdicts: readonly Verdict[]): Baseline =>
  Object.fromEntries(verdicts.map(({ name, ratios }) => [name, Number(median(ratios).toFixed(2))]));

export const sentence = ({ name, ratios, baseline, is }: Verdict): string => {
  const range = `${Math.min(...ratios).toFixed(2)}-${Math.max(...ratios).toFixed(2)}`;
  return `${is.padEnd(6)}  ${name}: ${median(ratios).toFixed(2)} [${range}] times the limit's; baseline ${baseline}`;
};
