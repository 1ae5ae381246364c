import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { chartSvg } from "./chart.ts";
import { chartsOf, type Run, tables } from "./tables.ts";

/**
 * `bun bench/report.ts FILE [SVG_DIR]`: writes the lines of `bun run bench --json` into docs/performance.md as tables, between
 * its marks, and as pictures into docs/pictures.
 */
const root = join(import.meta.dir, "..");
const PAGE = join(root, "docs", "performance.md");
const MARKS = ["<!-- measured: bun bench/report.ts -->", "<!-- end of measured -->"] as const;

const lineSchema = z.union([
  z.object({ run: z.object({ date: z.string(), machine: z.string(), load: z.number() }) }),
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

const main = ([file = "/dev/stdin", directory = join(root, "docs", "pictures")]: readonly string[]): void => {
  const run = read(readFileSync(file, "utf8"));
  const page = readFileSync(PAGE, "utf8");
  const [from, to] = [page.indexOf(MARKS[0]), page.indexOf(MARKS[1])];
  if (from < 0 || to < from) throw new Error(`${PAGE} lacks ${MARKS.join(" or ")}`);
  writeFileSync(PAGE, `${page.slice(0, from + MARKS[0].length)}\n\n${tables(run)}\n\n${page.slice(to)}`);
  for (const { name, chart } of chartsOf(run.measurements)) {
    writeFileSync(join(directory, `performance-${name}.svg`), chartSvg(chart));
  }
};

main(process.argv.slice(2));
