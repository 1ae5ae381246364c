import { count } from "../runtime/quantity.ts";
import type { AcceptCost, CheckpointCosts } from "./size-checkpoint.ts";
import type { Pages } from "./size-pages.ts";
import type { RetentionCosts } from "./size-retention.ts";

/** One question, asked of little history and of much. */
export interface Measured {
  readonly name: string;
  readonly upTo: number | undefined;
  readonly fewMs: number;
  readonly manyMs: number;
  readonly ratio: number;
  readonly p95Ratio: number;
  readonly fewCpuMs: number;
  readonly manyCpuMs: number;
  readonly fewPages: Pages | undefined;
  readonly manyPages: Pages | undefined;
}

export interface SizeReport {
  /** Signups of the history. */
  readonly few: number;
  readonly many: number;
  /** Of Postgres. */
  readonly settings: readonly string[];
  /** What was read into the memory before. */
  readonly warmBytes: number;
  readonly measured: readonly Measured[];
  /** For each signup: accepted with both mail groups' deliveries, of which one is claimed and settled. */
  readonly walBytes: number;
  readonly checkpoints: CheckpointCosts;
  readonly retention: RetentionCosts;
  readonly relations: readonly { readonly relation: string; readonly bytes: string }[];
}

const NAME_WIDTH = 34;
const CELL_WIDTH = 16;
const MIB = 2 ** 20;

const line = (name: string, cells: readonly string[]): string =>
  name.padEnd(NAME_WIDTH) + cells.map((cell) => cell.padStart(CELL_WIDTH)).join("");
const whole = (value: number): string => count(Math.round(value));
const inBoth = (few = Number.NaN, many = Number.NaN, digits = 0): string =>
  `${few.toFixed(digits)} -> ${many.toFixed(digits)}`;

const acceptLine = (name: string, { few, many }: AcceptCost): string =>
  line(name, [
    inBoth(few.cpuMs, many.cpuMs, 2),
    (many.cpuMs / few.cpuMs).toFixed(2),
    inBoth(few.walBytes, many.walBytes),
    (many.walBytes / few.walBytes).toFixed(2),
  ]);

const retentionLines = ({ deleted, locks, acceptMs }: RetentionCosts): readonly string[] => [
  line("deleted", ["rows", "rows/s", "rows/s of CPU", "ms a statement"]),
  ...deleted.map(({ what, rows, perSecond, perCpuSecond, statementMs }) =>
    line(what, [count(rows), whole(perSecond), whole(perCpuSecond), statementMs.toFixed(1)]),
  ),
  `accept while events are deleted, CPU in ms: ${inBoth(acceptMs.without, acceptMs.during, 2)}`,
  `locks, beside its rows: ${locks.join(", ")}`,
];

/** As tables of text. */
export const reportText = (report: SizeReport): string => {
  const rows = report.measured.map(
    ({ name, upTo, fewMs, manyMs, ratio, p95Ratio, fewCpuMs, manyCpuMs, fewPages, manyPages }) =>
      line(name, [
        ...[fewMs, manyMs, ratio, p95Ratio].map((value) => value.toFixed(2)),
        inBoth(fewCpuMs, manyCpuMs, 2),
        (manyCpuMs / fewCpuMs).toFixed(2),
        inBoth(fewPages?.touched, manyPages?.touched),
        inBoth(fewPages?.read, manyPages?.read),
        upTo === undefined ? "" : count(upTo),
      ]),
  );
  const times = [`${count(report.few)}, ms`, `${count(report.many)}, ms`, "ratio", "of 95 %", "CPU, ms", "ratio"];
  return [
    `${report.settings.join(" ")}; ${whole(report.warmBytes / MIB)} MiB read before`,
    line("what", [...times, "pages", "read", "rows at most"]),
    ...rows,
    "",
    line("accept", ["CPU, ms", "ratio", "WAL a signup", "ratio"]),
    acceptLine("right after a checkpoint", report.checkpoints.after),
    acceptLine("long after one", report.checkpoints.longAfter),
    "",
    `WAL: ${whole(report.walBytes)} bytes a signup`,
    ...retentionLines(report.retention),
    ...report.relations.map(
      ({ relation, bytes }) =>
        `${relation}: ${(Number(bytes) / MIB).toFixed(0)} MiB, ${(Number(bytes) / report.many).toFixed(0)} bytes a signup`,
    ),
  ].join("\n");
};
