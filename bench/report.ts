import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { chartSvg } from "./chart.ts";
import { chartsOf, type Run, tables } from "./tables.ts";

/**
 * `bun bench/report.ts FILE`: writes the lines of `bun run bench --json` into docs/performance.md as tables, between
 * its marks, and as pictures into docs/pictures.
 */
const PAGE = join(import.meta.dir, "..", "docs", "performance.md");
/** Beside the page. */
const DIRECTORY = "pictures";
const MARKS = ["<!-- measured: bun bench/report.ts -->", "<!-- end of measured -->"] as const;

const lineSchema = z.union([
  z.object({ run: z.object({ date: z.string(), machine: z.string(), cores: z.number(), load: z.number() }) }),
  z.object({
    case: z.string(),
    contender: z.string(),
    place: z.number(),
    round: z.number(),
    figures: z.record(
      z.string(),
      z
        .number()
        .nullable()
        .transform((value) => value ?? Number.NaN),
    ),
  }),
]);

/** Reads the lines of one run or of several. */
const read = (text: string): Run => {
  const lines = text.split("\n").filter((line) => line.startsWith("{"));
  const parsed = lines.map((line) => lineSchema.parse(JSON.parse(line)));
  return {
    heads: parsed.flatMap((line) => ("run" in line ? [line.run] : [])),
    measurements: parsed.flatMap((line) => ("run" in line ? [] : [line])),
  };
};

const main = ([file = "/dev/stdin"]: readonly string[]): void => {
  const run = read(readFileSync(file, "utf8"));
  const page = readFileSync(PAGE, "utf8");
  const [from, to] = [page.indexOf(MARKS[0]), page.indexOf(MARKS[1])];
  if (from < 0 || to < from) throw new Error(`${PAGE} lacks ${MARKS.join(" or ")}`);
  const charts = chartsOf(run.measurements).map(({ name, chart }) => ({ file: `performance-${name}.svg`, chart }));
  const pictures = charts.map(({ file, chart }) => `![${chart.title}, ${chart.unit}](${DIRECTORY}/${file})`);
  const measured = [tables(run), ...pictures].join("\n\n");
  writeFileSync(PAGE, `${page.slice(0, from + MARKS[0].length)}\n\n${measured}\n\n${page.slice(to)}`);
  for (const { file, chart } of charts) writeFileSync(join(dirname(PAGE), DIRECTORY, file), chartSvg(chart));
};

main(process.argv.slice(2));
